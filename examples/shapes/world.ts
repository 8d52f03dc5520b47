// The data of the example: what is asked of which picture, for the base, for training and for the test. Everything
// comes from the seed, so the same seed gives the same files on every machine.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Random } from '../../src/protocol/random';
import { paintPicture, type Tower } from './picture';
import {
  answerOf,
  captionText,
  completion,
  drawQuestion,
  drawTowers,
  listed,
  questionText,
  sceneText,
  teach,
} from './question';

/** How many rows each file gets. */
export interface Counts {
  readonly train: number;
  readonly test: number;
  readonly baseText: number;
  readonly baseImage: number;
  readonly baseCaptioned: number;
}

export const defaultCounts: Counts = { train: 2048, test: 512, baseText: 20000, baseImage: 240, baseCaptioned: 120 };

/** One line of a .jsonl file. */
export interface Row {
  readonly id: string;
  readonly question: string;
  readonly answer: number;
  readonly scene?: string;
  readonly caption?: string;
  /** Relative to the folder of the .jsonl file. */
  readonly image?: string;
  readonly target?: string;
}

/** The probability that the base's teacher writes a result that is one too high. */
const slip = 0.5;

interface Item {
  readonly row: Row;
  /** What to paint, where the row has an image. */
  readonly towers: readonly Tower[];
}

type Maker = (random: Random, id: string) => Item;

/** Every view of one scene: training and test. */
const whole: Maker = (random, id) => {
  const towers = drawTowers(random);
  const question = drawQuestion(random, towers);
  return {
    towers,
    row: {
      id,
      question: questionText(question),
      answer: answerOf(towers, question),
      scene: sceneText(random, towers),
      caption: captionText(random, towers, question, 2),
      image: `images/${id}.png`,
    },
  };
};

const baseText: Maker = (random, id) => {
  const towers = drawTowers(random);
  const question = drawQuestion(random, towers);
  return {
    towers,
    row: {
      id,
      question: questionText(question),
      answer: answerOf(towers, question),
      scene: sceneText(random, towers),
      target: teach(random, towers, question, slip),
    },
  };
};

/** Most of what the base sees of pictures: a third are one value to read, some a description, the rest questions. */
const baseImage: Maker = (random, id) => {
  const towers = drawTowers(random);
  const image = `images/${id}.png`;
  const kind = random.uniform();
  if (kind < 1 / 3) {
    const { colour, floors } = random.pick(towers);
    const target = completion(`${colour} ${floors}.`, floors);
    return { towers, row: { id, question: `How high is ${colour}?`, answer: floors, image, target } };
  }
  if (kind < 4 / 9) {
    const highest = Math.max(...towers.map(tower => tower.floors));
    const target = completion(`${listed(random.shuffled(towers))}.`, highest);
    return { towers, row: { id, question: 'How high is the highest?', answer: highest, image, target } };
  }
  const question = drawQuestion(random, towers);
  const target = teach(random, towers, question, slip);
  return { towers, row: { id, question: questionText(question), answer: answerOf(towers, question), image, target } };
};

const baseCaptioned: Maker = (random, id) => {
  const towers = drawTowers(random);
  const question = drawQuestion(random, towers);
  const caption = captionText(random, towers, question, 1 + random.below(3));
  const target = teach(random, towers, question, slip);
  const answer = answerOf(towers, question);
  return { towers, row: { id, question: questionText(question), answer, caption, image: `images/${id}.png`, target } };
};

const draw = (name: string, count: number, seed: number, make: Maker): readonly Item[] =>
  Array.from({ length: count }, (_, index) => make(new Random(seed, name, index), `${name}-${index}`));

async function writeRows(folder: string, name: string, rows: readonly Row[]): Promise<void> {
  await writeFile(path.join(folder, `${name}.jsonl`), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
}

async function writeSet(folder: string, name: string, seed: number, items: readonly Item[]): Promise<void> {
  await writeRows(
    folder,
    name,
    items.map(({ row }) => row),
  );
  const pictures = items.filter(({ row }) => row.image !== undefined);
  // eight at a time: painting is on this thread, packing and writing are not
  for (let at = 0; at < pictures.length; at += 8) {
    await Promise.all(
      pictures.slice(at, at + 8).map(async ({ row, towers }) => {
        const png = await paintPicture(towers, [seed, 'picture', row.id]).png();
        await writeFile(path.join(folder, row.image as string), png);
      }),
    );
  }
}

/** One value to read from each picture: how sharp a model's eyes are, whatever its sums. */
function looks(seed: number, items: readonly Item[]): readonly Row[] {
  return items.map(({ row, towers }, index) => {
    const { colour, floors } = new Random(seed, 'look', index).pick(towers);
    return { id: `look-${index}`, question: `How high is ${colour}?`, answer: floors, image: row.image as string };
  });
}

/** The files of the training run: `train.jsonl`, `test.jsonl`, and `look.jsonl` on the pictures of the test. */
export async function writeTraining(folder: string, seed: number, counts = defaultCounts): Promise<void> {
  await mkdir(path.join(folder, 'images'), { recursive: true });
  await writeSet(folder, 'train', seed, draw('train', counts.train, seed, whole));
  const test = draw('test', counts.test, seed, whole);
  await writeSet(folder, 'test', seed, test);
  await writeRows(folder, 'look', looks(seed, test));
}

/** The files from which the base is made, by view: `base-text.jsonl`, `base-image.jsonl`, `base-captioned.jsonl`. */
export async function writeBase(folder: string, seed: number, counts = defaultCounts): Promise<void> {
  await mkdir(path.join(folder, 'images'), { recursive: true });
  await writeSet(folder, 'base-text', seed, draw('base-text', counts.baseText, seed, baseText));
  await writeSet(folder, 'base-image', seed, draw('base-image', counts.baseImage, seed, baseImage));
  await writeSet(folder, 'base-captioned', seed, draw('base-captioned', counts.baseCaptioned, seed, baseCaptioned));
}
