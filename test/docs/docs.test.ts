// What the documents say is tried: configs load, commands and files are there, the reference is that of the schema.
// TRIPHASE_WRITE_DOCS=1 writes the reference anew.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { commandNames } from '../../src/cli/help';
import { readCurriculum } from '../../src/config/curriculum';
import { configurationTable } from './configuration-table';

const documents = [
  'README.md',
  'CHANGELOG.md',
  'SUPPORT.md',
  'bench/README.md',
  'examples/nlvr/README.md',
  'examples/shapes/README.md',
  ...readdirSync('docs').map(name => `docs/${name}`),
].filter(file => file.endsWith('.md') && existsSync(file));

interface Block {
  readonly file: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

function blocksOf(file: string): readonly Block[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map(({ 1: language = '', 2: body = '', index }) => ({
    file,
    line: text.slice(0, index).split('\n').length,
    language,
    text: body,
  }));
}

const blocks = documents.flatMap(blocksOf);

/** What a fragment leaves out. */
const rest = {
  model: { path: 'model' },
  data: { problems: { path: 'problems.jsonl' } },
  phases: [{ id: 'text', view: 'text', sources: ['problems'], steps: 10 }],
};

describe('documents', () => {
  for (const { file, line, text } of blocks.filter(block => block.language === 'yaml')) {
    it(`have a config that loads: ${file}:${line}`, () => {
      const said = parse(text, { merge: true }) as Record<string, unknown>;
      // that page says of its blocks that they stand under rewards
      const given = file === 'docs/reward-rules.md' ? { rewards: said } : said;
      // only names are asked for here: the data that it speaks of is the reader's own
      const whole = 'phases' in given && 'model' in given && 'data' in given;
      const data = { ...rest.data, ...(given['data'] as object | undefined) };
      const complete = whole ? text : stringify({ ...rest, ...given, data });
      const read = readCurriculum(complete, path.resolve(file), [], { files: 'unchecked' });
      assert.ok('loaded' in read, 'diagnostics' in read ? JSON.stringify(read.diagnostics, null, 2) : '');
    });
  }

  it('have at least one complete config', () => {
    assert.ok(
      blocks.some(({ language, text }) => language === 'yaml' && /^model:/m.test(text) && /^phases:/m.test(text)),
    );
  });

  it('name scripts and commands that are there', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    for (const file of documents) {
      const text = readFileSync(file, 'utf8');
      for (const [, name = ''] of text.matchAll(/npm run (?:-s )?([\w:]+)/g))
        assert.ok(name in scripts || name === 'bench:NAME', `${file}: there is no script ${name}`);
      for (const [, name = ''] of text.matchAll(/npm run -s triphase -- (\w+)/g))
        assert.ok(commandNames.includes(name), `${file}: there is no command ${name}`);
      for (const [, name = ''] of text.matchAll(/`triphase (\w+)/g))
        assert.ok(commandNames.includes(name), `${file}: there is no command ${name}`);
    }
  });

  it('link to files that are there', () => {
    for (const file of documents) {
      for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^https?:/.test(target)) continue;
        assert.ok(existsSync(path.join(path.dirname(file), target)), `${file}: there is no ${target}`);
      }
    }
  });

  it('name files of src that are there', () => {
    for (const file of documents) {
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/`((?:src\/)?[a-z]+\/[\w/-]+\.ts)`/g)) {
        const found = [name, path.join('src', name)].some(candidate => existsSync(candidate));
        assert.ok(found, `${file}: there is no ${name}`);
      }
    }
  });

  it('give every key of the config, as the schema has it', () => {
    const file = 'docs/configuration.md';
    const text = readFileSync(file, 'utf8');
    const [begin, end] = ['<!-- from the schema -->', '<!-- end -->'];
    const written = text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)).trim();
    const expected = configurationTable();
    if (process.env['TRIPHASE_WRITE_DOCS'] === '1')
      writeFileSync(
        file,
        `${text.slice(0, text.indexOf(begin))}${begin}\n\n${expected}\n\n${text.slice(text.indexOf(end))}`,
      );
    else assert.equal(written, expected, 'TRIPHASE_WRITE_DOCS=1 writes it anew');
  });
});

describe('package.json', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

  it('has a script for every file of bench', () => {
    const names = readdirSync('bench').flatMap(name => (name.endsWith('.ts') ? [name.slice(0, -3)] : []));
    for (const name of names)
      assert.equal(scripts[`bench:${name}`], `node build.mjs --quiet --bench && node out/bench/${name}.js`);
    const benches = Object.keys(scripts).flatMap(script => (script.startsWith('bench:') ? [script.slice(6)] : []));
    assert.deepEqual(benches.toSorted(), names.toSorted());
  });
});
