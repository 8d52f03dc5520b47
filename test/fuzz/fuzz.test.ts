// Ten thousand hostile inputs over every border where something comes in that we did not write. Each is read, or refused
// with an error that says what is wrong; no other error, no crash, no long computation, and no file where none belongs.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { connectHost } from '../../src/client/host-client';
import { loadCurriculum, readCurriculum } from '../../src/config/curriculum';
import { writeResolved } from '../../src/config/resolved';
import { loadExamples } from '../../src/data/examples';
import { Host } from '../../src/host/host';
import { loadModelConfig } from '../../src/model/config';
import { loadImageProcessor, processImage } from '../../src/model/images';
import { readSafetensors, writeSafetensors } from '../../src/model/safetensors';
import { TriphaseError } from '../../src/protocol/errors';
import { hostProtocol } from '../../src/protocol/host';
import { Random } from '../../src/protocol/random';
import type { RunEvent } from '../../src/protocol/run';
import { RunProgress } from '../../src/protocol/run-progress';
import { listCheckpoints } from '../../src/run/checkpoints';
import { currentEvents, EventLog, lastKeptEvent, readEvents } from '../../src/run/event-log';
import { createRunFolder, readRunInfo, readRunState } from '../../src/run/folder';
import { currentRollouts, readRollouts } from '../../src/run/rollouts';
import { loadTokenizer } from '../../src/text/tokenizer';
import { bundle } from '../host/bundle';
import { smallCurriculum } from '../host/small-curriculum';
import { temporaryFolder } from '../run/temporary';
import { mutateBytes, mutateJson, mutateText } from './mutate';

/** Of one input, by the processor's clock: what takes longer hangs, or soon will. */
const mostSeconds = 1;

describe('hostile input', function () {
  this.timeout(300_000);
  const folder = temporaryFolder();
  const at = (...names: readonly string[]) => path.join(folder(), ...names);

  /** @param read what an input gives to; it throws where it says no */
  async function fuzz(name: string, count: number, read: (random: Random, i: number) => unknown): Promise<void> {
    const before = readdirSync(path.dirname(folder())).filter(other => other.startsWith('fuzz')).length;
    let refused = 0;
    for (let i = 0; i < count; i++) {
      const began = process.cpuUsage();
      try {
        await read(new Random(1, name, i), i);
      } catch (error) {
        refused += 1;
        const said = error instanceof TriphaseError && error.message.length > 5;
        if (!said) throw new Error(`${name} ${i} is not refused but breaks: ${(error as Error).stack}`);
      }
      const { user, system } = process.cpuUsage(began);
      assert.ok((user + system) / 1e6 < mostSeconds, `${name} ${i} took ${(user + system) / 1e6} s of computing`);
    }
    assert.ok(refused > 0, `of ${count} inputs none was refused: ${name} cannot fail`);
    const after = readdirSync(path.dirname(folder())).filter(other => other.startsWith('fuzz')).length;
    assert.equal(after, before);
  }

  it('in configs and reward rules', async () => {
    const file = smallCurriculum(folder(), [2, 3]);
    const rules = `
rewards:
  format: { weight: 0.1, tags: [think, answer] }
  rules:
    tidy: { kind: match, pattern: "^[a-z ]+$", weight: 0.2 }
    brief: { kind: length, weight: 0.1, budget: 20 }
    own: { kind: score, score: "completion.length > 3 ? 1 : 0", weight: 0.3 }
`;
    const text = readFileSync(file, 'utf8') + rules;
    await fuzz('config', 2500, random => {
      const read = readCurriculum(mutateText(text, random), file, [], {});
      if ('diagnostics' in read) throw new TriphaseError('config', read.diagnostics[0].message);
    });
    const config = loadCurriculum(file, []).config;
    await fuzz('config keys', 1000, random => {
      const json = JSON.stringify(mutateJson(JSON.parse(JSON.stringify(config)), random));
      const read = readCurriculum(json, file, [], {});
      if ('diagnostics' in read) throw new TriphaseError('config', read.diagnostics[0].message);
    });
  });

  it('in rows', async () => {
    const file = smallCurriculum(folder(), [2]);
    const row = { id: '1', question: '1 + 1?', answer: '2', image: 'a.png', choices: ['1', '2'], target: 'x' };
    const texts: Readonly<Record<string, string>> = {
      jsonl: `${JSON.stringify(row)}\n${JSON.stringify({ ...row, id: '2' })}\n`,
      json: JSON.stringify([row, { ...row, id: '2' }]),
      csv: 'id,question,answer\n1,"1 + 1?",2\n2,"a ""b""",3\n',
    };
    const kinds = Object.keys(texts);
    const { config } = loadCurriculum(file, []);
    const [known] = Object.values(config.data);
    assert.ok(known);
    await fuzz('rows', 1500, async (random, i) => {
      const kind = kinds[i % kinds.length] ?? 'jsonl';
      const name = at(`fuzzed.${kind}`);
      writeFileSync(name, mutateText(texts[kind] ?? '', random));
      const { examples, dropped } = await loadExamples({ data: { rows: { ...known, path: name } } }, 'rows');
      for (const example of examples) assert.equal(typeof example.question, 'string');
      if (dropped.length > 0) throw new TriphaseError('data', `${dropped[0]?.reason} ${dropped[0]?.count}`);
    });
  });

  it('in images', async () => {
    const pictures = path.resolve('test/reference/pictures');
    const files = readdirSync(pictures).filter(name => /\.(png|jpg|webp|gif|tif)$/.test(name) && name !== 'huge.png');
    const processor = await loadImageProcessor(path.resolve('examples/shapes/base'));
    await fuzz('image', 600, async (random, i) => {
      const name = files[i % files.length] ?? '';
      const bytes = readFileSync(path.join(pictures, name));
      const pixels = await processImage(i % 40 === 0 ? new Uint8Array() : mutateBytes(bytes, random), processor);
      assert.ok(pixels.values.length > 0);
    });
  });

  it('in model folders', async () => {
    const base = path.resolve('examples/shapes/base');
    const model = at('model-fuzzed');
    mkdirSync(model);
    const config: unknown = JSON.parse(readFileSync(path.join(base, 'config.json'), 'utf8'));
    await fuzz('model config', 800, async random => {
      writeFileSync(path.join(model, 'config.json'), JSON.stringify(mutateJson(config, random)));
      await loadModelConfig(model);
    });
    const weights = at('small.safetensors');
    await writeSafetensors(weights, [
      ['a', { dims: [2, 3], data: new Float32Array(6) }],
      ['b', { dims: [4], data: new Float32Array(4) }],
    ]);
    const bytes = readFileSync(weights);
    await fuzz('safetensors', 1000, async random => {
      writeFileSync(weights, mutateBytes(bytes, random));
      await readSafetensors(weights);
    });
    const header = { a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] } };
    await fuzz('safetensors header', 500, async random => {
      const json = Buffer.from(JSON.stringify(mutateJson(header, random)));
      const head = Buffer.alloc(8);
      head.writeBigUInt64LE(BigInt(random.below(8) === 0 ? 2 ** 40 : json.length));
      writeFileSync(weights, Buffer.concat([head, json, Buffer.alloc(24)]));
      await readSafetensors(weights);
    });
    const names = ['tokenizer.json', 'tokenizer_config.json'];
    for (const name of names) writeFileSync(path.join(model, name), readFileSync(path.join(base, name)));
    await fuzz('tokenizer', 300, async (random, i) => {
      const name = names[i % 2] ?? '';
      const whole: unknown = JSON.parse(readFileSync(path.join(base, name), 'utf8'));
      writeFileSync(path.join(model, name), JSON.stringify(mutateJson(whole, random)));
      (await loadTokenizer(model)).encode('one two <think> 3');
      writeFileSync(path.join(model, name), readFileSync(path.join(base, name)));
    });
  });

  it('in run folders of others', async () => {
    const configFile = smallCurriculum(folder(), [2]);
    const run = at('run');
    const { config } = loadCurriculum(configFile, []);
    createRunFolder(run, { name: 'small', configFile, sets: [], resolved: writeResolved(config), quick: false });
    process.env['TRIPHASE_SMALL_JOB'] = '{}';
    const { worker } = bundle(at('programs'), { worker: 'test/host/small-worker.ts' });
    await (await Host.start({ folder: run, config, workerFile: worker })).ended;
    const lines = readFileSync(path.join(run, 'events.jsonl'), 'utf8').trim().split('\n');
    const events = lines.map(line => JSON.parse(line) as RunEvent);

    const look = async () => {
      const logged = readEvents(run);
      const progress = new RunProgress();
      for (const event of currentEvents(logged.events)) progress.take(event);
      readRunState(run);
      const { whole } = listCheckpoints(run, logged.events);
      for (const checkpoint of whole) lastKeptEvent(logged.events, checkpoint);
      for (const name of currentRollouts(logged.events)) await readRollouts(run, name);
      if (logged.torn || logged.damaged.length > 0) throw new TriphaseError('run-folder', 'a line is left out');
    };
    await fuzz('event log', 800, async random => {
      writeFileSync(path.join(run, 'events.jsonl'), mutateBytes(Buffer.from(`${lines.join('\n')}\n`), random));
      await look();
    });
    await fuzz('events', 900, async random => {
      const fuzzed = events.map(event => (random.below(4) === 0 ? mutateJson(event, random) : event));
      writeFileSync(path.join(run, 'events.jsonl'), fuzzed.map(event => `${JSON.stringify(event)}\n`).join(''));
      await look();
    });
    writeFileSync(path.join(run, 'events.jsonl'), `${lines.join('\n')}\n`);
    const others = ['run.json', 'attempts/0001.json', 'checkpoints/p0-000002/checkpoint.json'];
    await fuzz('records', 700, async (random, i) => {
      const file = path.join(run, others[i % others.length] ?? '');
      const content = readFileSync(file);
      try {
        const json = random.below(2) === 0;
        writeFileSync(
          file,
          json ? JSON.stringify(mutateJson(JSON.parse(content.toString()), random)) : mutateBytes(content, random),
        );
        readRunInfo(run);
        await look();
      } finally {
        writeFileSync(file, content);
      }
    });
    const step = events.find(event => event.kind === 'step');
    const name = step?.kind === 'step' ? (step.rollouts ?? '') : '';
    const parquet = readFileSync(path.join(run, name));
    // cut off at any place: hyparquet can be held up for ever by bytes within a page, which is not mended yet
    await fuzz('rollouts', 400, async random => {
      writeFileSync(path.join(run, name), parquet.subarray(0, random.below(parquet.length)));
      await readRollouts(run, name);
    });
  });

  it('on the socket', async () => {
    const configFile = smallCurriculum(folder(), [1000]);
    const run = at('run');
    const { config } = loadCurriculum(configFile, []);
    createRunFolder(run, { name: 'small', configFile, sets: [], resolved: writeResolved(config), quick: false });
    process.env['TRIPHASE_SMALL_JOB'] = JSON.stringify({ stepMs: 50 });
    const { worker } = bundle(at('programs'), { worker: 'test/host/small-worker.ts' });
    const host = await Host.start({ folder: run, config, workerFile: worker });
    const socket = readRunInfo(run).host?.socket ?? '';
    const message = (json: unknown) => {
      const body = JSON.stringify(json);
      return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    };
    const hello = { token: host.token, protocol: hostProtocol, name: 'fuzz', control: false };
    const requests = [
      { jsonrpc: '2.0', id: 1, method: 'triphase/status' },
      { jsonrpc: '2.0', id: 2, method: 'triphase/events', params: { after: 0, follow: false } },
      { jsonrpc: '2.0', id: 3, method: 'triphase/applyRules', params: { config: 'a.yaml' } },
      { jsonrpc: '2.0', id: 4, method: 'triphase/takeControl' },
    ];
    await fuzz('socket', 400, async (random, i) => {
      const client = createConnection(socket);
      client.on('error', () => {});
      await once(client, 'connect');
      if (i % 2 === 0) client.write(message({ jsonrpc: '2.0', id: 0, method: 'triphase/hello', params: hello }));
      const request = requests[i % requests.length];
      client.write(
        random.below(2) === 0
          ? mutateBytes(Buffer.from(message(request)), random)
          : message(mutateJson(request, random)),
      );
      await new Promise(resolve => setTimeout(resolve, 1));
      client.destroy();
      if (i % 20 === 0) throw new TriphaseError('usage', 'counted as refused: what is said goes to the client');
    });
    const client = await connectHost(run, { name: 'afterwards', control: true });
    assert.equal((await client.takeControl()).state.kind, 'running');
    await client.stop({ when: 'after-step' });
    assert.deepEqual(await host.ended, { outcome: 'stopped', killed: false });
    client.close();
    const log = EventLog.open(run, 2);
    log.close();
    delete process.env['TRIPHASE_SMALL_JOB'];
  });
});
