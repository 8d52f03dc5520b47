import assert from 'node:assert/strict';
import { readCurriculum } from '../../src/config/curriculum';
import { compileUserMessage } from '../../src/data/views';
import type { Example } from '../../src/protocol/example';
import { usableOf } from './usable';

const example = (id: string, more: Partial<Example>): Example => ({
  id,
  source: 'test',
  question: 'How many dots?',
  answer: '3',
  answerKind: 'number',
  images: [],
  ...more,
});

const ALL = [
  example('text', {}),
  example('picture', { images: ['a.png'] }),
  example('captioned', { images: ['a.png'], caption: 'Three dots.' }),
  example('scene', { images: ['a.png'], scene: 'Dots at 1, 2 and 3.', target: '3' }),
  example('words', { caption: 'Three dots.' }),
];

const ids = (view: 'text' | 'captioned' | 'image') => usableOf(ALL, view).examples.map(({ id }) => id);

describe('views', () => {
  it('text takes what stands without an image: text problems, or a scene in words', () => {
    assert.deepEqual(ids('text'), ['text', 'scene', 'words']);
    assert.deepEqual(usableOf(ALL, 'text').refused, [
      { reason: 'the question needs its picture: there is no scene in words', count: 2 },
    ]);
  });

  it('captioned asks for image and caption, image for an image', () => {
    assert.deepEqual(ids('captioned'), ['captioned']);
    assert.deepEqual(ids('image'), ['picture', 'captioned', 'scene']);
  });

  it('SFT asks for a target', () => {
    assert.deepEqual(
      usableOf(ALL, 'text', 'sft').examples.map(({ id }) => id),
      ['scene'],
    );
  });
});

describe('user message', () => {
  const read = readCurriculum(
    'model: { path: m }\ndata: { d: { path: p } }\nphases: [{ id: a, view: text, sources: [d], steps: 1 }]\n',
    'curriculum.yaml',
    [],
    { files: 'unchecked' },
  );
  assert.ok('loaded' in read);
  const message = compileUserMessage(read.loaded.config.prompt);
  const full = example('full', { scene: 'A scene.', caption: 'A caption.', choices: ['two', 'three'] });

  it('shows in each view what it is for', () => {
    assert.equal(message(full, 'text'), 'A scene.\nHow many dots?\nA. two\nB. three');
    assert.equal(message(full, 'captioned'), 'A caption.\nHow many dots?\nA. two\nB. three');
    assert.equal(message(full, 'image'), 'How many dots?\nA. two\nB. three');
  });

  it('leaves out what the example does not have', () => {
    assert.equal(message(example('bare', {}), 'text'), 'How many dots?');
    assert.equal(message(example('bare', {}), 'image'), 'How many dots?');
  });
});
