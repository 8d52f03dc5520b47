// Questions of the world, and the reasoning that answers them: three values are read, then two small sums are done.
import type { Random } from '../../src/protocol/random';
import { type ColourName, colours, type Tower } from './picture';

const allOperators = ['plus', 'minus'] as const;
export type Operator = (typeof allOperators)[number];

/** `first` operator `second` operator `third`, from left to right; no intermediate result is below zero. */
export interface Question {
  readonly asked: readonly [ColourName, ColourName, ColourName];
  readonly operators: readonly [Operator, Operator];
}

const floorsOf = (towers: readonly Tower[], colour: ColourName): number => {
  const tower = towers.find(each => each.colour === colour);
  if (tower === undefined) throw new Error(`There is no ${colour} tower.`);
  return tower.floors;
};

const apply = (operator: Operator, a: number, b: number): number => (operator === 'plus' ? a + b : a - b);

/** Four towers, one of each colour, in any order, each of one to five floors. */
export function drawTowers(random: Random): readonly Tower[] {
  return random.shuffled(colours).map(colour => ({ colour, floors: 1 + random.below(5) }));
}

/** Draws until no intermediate result is negative. */
export function drawQuestion(random: Random, towers: readonly Tower[]): Question {
  for (;;) {
    const [a, b, c] = random.shuffled(colours) as [ColourName, ColourName, ColourName, ColourName];
    const operators = [random.pick(allOperators), random.pick(allOperators)] as const;
    const first = apply(operators[0], floorsOf(towers, a), floorsOf(towers, b));
    if (first >= 0 && apply(operators[1], first, floorsOf(towers, c)) >= 0) return { asked: [a, b, c], operators };
  }
}

export function answerOf(towers: readonly Tower[], { asked, operators }: Question): number {
  const [a, b, c] = asked.map(colour => floorsOf(towers, colour)) as [number, number, number];
  return apply(operators[1], apply(operators[0], a, b), c);
}

/** "What is red plus blue minus green?" */
export function questionText({ asked, operators }: Question): string {
  return `What is ${asked[0]} ${operators[0]} ${asked[1]} ${operators[1]} ${asked[2]}?`;
}

/** "red 4, blue 2, green 5" */
export function listed(towers: readonly Tower[]): string {
  return towers.map(tower => `${tower.colour} ${tower.floors}`).join(', ');
}

/** The whole scene in words, the towers in any order: enough to answer without the picture. */
export function sceneText(random: Random, towers: readonly Tower[]): string {
  return `Four towers: ${listed(random.shuffled(towers))}.`;
}

/**
 * The caption: the tower that is not asked for and `known` of the three that are, in any order. With two of three the
 * picture must be looked at for the last; with three it would not be.
 */
export function captionText(random: Random, towers: readonly Tower[], { asked }: Question, known: number): string {
  const left = random.shuffled(asked).slice(0, asked.length - known);
  const told = random.shuffled(towers.filter(tower => !left.includes(tower.colour)));
  return `Towers seen: ${listed(told)}.`;
}

export const completion = (reasoning: string, answer: number): string =>
  `<think> ${reasoning}</think><answer> ${answer}</answer>`;

/**
 * The reasoning and the answer, as the teacher writes them. A careless teacher reads every value right, but with
 * probability `slip` the result of a sum is one too high, and the next sum goes on from what was written.
 */
export function teach(random: Random, towers: readonly Tower[], question: Question, slip: number): string {
  const [a, b, c] = question.asked.map(colour => floorsOf(towers, colour)) as [number, number, number];
  const read = listed(question.asked.map(colour => ({ colour, floors: floorsOf(towers, colour) })));
  const written = (left: number, operator: Operator, right: number): { text: string; result: number } => {
    const result = Math.max(0, apply(operator, left, right)) + (random.uniform() < slip ? 1 : 0);
    return { text: `${left} ${operator === 'plus' ? '+' : '-'} ${right} = ${result}`, result };
  };
  const first = written(a, question.operators[0], b);
  const second = written(first.result, question.operators[1], c);
  return completion(`${read}. ${first.text}. ${second.text}.`, second.result);
}
