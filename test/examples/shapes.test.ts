import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { paintPicture, pictureSide, type Tower } from '../../examples/shapes/picture';
import {
  answerOf,
  captionText,
  drawQuestion,
  drawTowers,
  type Question,
  questionText,
  sceneText,
  teach,
} from '../../examples/shapes/question';
import { type Row, writeBase, writeTraining } from '../../examples/shapes/world';
import { Random } from '../../src/protocol/random';

const few = { train: 3, test: 2, baseText: 4, baseImage: 3, baseCaptioned: 2 };

const towers: readonly Tower[] = [
  { colour: 'red', floors: 4 },
  { colour: 'green', floors: 5 },
  { colour: 'yellow', floors: 1 },
  { colour: 'blue', floors: 2 },
];
const question: Question = { asked: ['red', 'blue', 'green'], operators: ['plus', 'minus'] };

describe('examples/shapes', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'shapes-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('asks for a sum over three of the four towers', () => {
    assert.equal(questionText(question), 'What is red plus blue minus green?');
    assert.equal(answerOf(towers, question), 1);
  });

  it('never asks for a sum that falls below zero on the way', () => {
    for (let i = 0; i < 500; i++) {
      const random = new Random('question', i);
      const some = drawTowers(random);
      const drawn = drawQuestion(random, some);
      const values = drawn.asked.map(colour => some.find(tower => tower.colour === colour)?.floors ?? 0);
      const first = drawn.operators[0] === 'plus' ? values[0]! + values[1]! : values[0]! - values[1]!;
      assert.ok(first >= 0 && answerOf(some, drawn) >= 0);
    }
  });

  it('tells all four towers in the scene, and leaves one that is asked for out of the caption', () => {
    for (let i = 0; i < 50; i++) {
      assert.equal(sceneText(new Random(i), towers).match(/\d/g)?.length, 4);
      const caption = captionText(new Random(i), towers, question, 2);
      assert.equal(caption.match(/\d/g)?.length, 3);
      assert.match(caption, /yellow 1/);
    }
  });

  it('has a teacher who reads right and reckons one too high, or not', () => {
    assert.equal(
      teach(new Random(0), towers, question, 0),
      '<think> red 4, blue 2, green 5. 4 + 2 = 6. 6 - 5 = 1.</think><answer> 1</answer>',
    );
    assert.equal(
      teach(new Random(0), towers, question, 1),
      '<think> red 4, blue 2, green 5. 4 + 2 = 7. 7 - 5 = 3.</think><answer> 3</answer>',
    );
  });

  it('paints each tower as high as its value, in the order of the row', () => {
    for (let picture = 0; picture < 60; picture++) {
      const painted = paintPicture(towers, ['picture', picture], 0).colours;
      const empty = paintPicture([], ['picture', picture], 0).colours;
      const changed = (x: number, y: number): number =>
        Math.max(
          ...[0, 1, 2].map(c =>
            Math.abs(painted[(y * pictureSide + x) * 3 + c]! - empty[(y * pictureSide + x) * 3 + c]!),
          ),
        );
      // roofs and flowers stand at most nine pixels above the last floor
      const seen = towers.map((_, slot) => {
        const tops = [-7, 7].map(side => {
          const x = (slot + 0.5) * (pictureSide / 4) + side;
          return Array.from({ length: pictureSide }, (_, y) => changed(x, y)).findIndex(change => change > 0.12);
        });
        return Math.floor((104 - Math.min(...tops)) / 14);
      });
      assert.deepEqual(
        seen,
        towers.map(tower => tower.floors),
        `picture ${picture}`,
      );
    }
  });

  it('writes the same bytes for the same seed, and others for another', async () => {
    const folders = ['a', 'b', 'c'].map(name => path.join(folder, name)) as [string, string, string];
    for (const [i, each] of folders.entries()) await writeTraining(each, i === 2 ? 8 : 7, few);
    const read = async (each: string) => {
      const names = (await readdir(each, { recursive: true })).filter(name => /\.\w+$/.test(name)).sort();
      return Promise.all(names.map(async name => [name, (await readFile(path.join(each, name))).toString('base64')]));
    };
    assert.deepEqual(await read(folders[0]), await read(folders[1]));
    assert.notDeepEqual(await read(folders[0]), await read(folders[2]));
  });

  it('gives the base a target in every row, and a picture only where the view shows one', async () => {
    await writeBase(folder, 7, few);
    const rows = async (name: string) =>
      (await readFile(path.join(folder, `${name}.jsonl`), 'utf8'))
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Row);
    const [text, image, captioned] = await Promise.all(['base-text', 'base-image', 'base-captioned'].map(rows));
    assert.deepEqual([text!.length, image!.length, captioned!.length], [4, 3, 2]);
    assert.ok([...text!, ...image!, ...captioned!].every(row => row.target?.startsWith('<think> ')));
    assert.ok(text!.every(row => row.image === undefined && row.scene !== undefined));
    assert.ok(image!.every(row => row.image !== undefined && row.scene === undefined && row.caption === undefined));
    assert.ok(captioned!.every(row => row.image !== undefined && row.caption !== undefined));
  });
});
