// A curriculum of so many lines, as long ones become long: rules with their test cases, phases with settings of their own,
// comments between them. All of it is right, so that the whole of it is read.

const DATA = 'bench';

export function longConfig(lines: number): string {
  const tail = phases(6);
  const head = `# a long curriculum
model: { path: base }
seed: 7
data:
  ${DATA}: { path: bench.jsonl }
generation:
  samples: 8
  max_tokens: 256
grpo:
  beta: 0.01
rewards:
  format: { weight: 0.1 }
  accuracy: { weight: 0.9 }
  rules:
`;
  const rules: string[] = [];
  const room = lines - count(head) - count(tail);
  let written = 0;
  for (let i = 0; written < room; i++) {
    const rule = ruleText(i);
    // the last one is cut to the line, by test cases that are left out
    const kept = rule.slice(0, room - written);
    rules.push(...kept);
    written += kept.length;
  }
  return `${head}${rules.join('\n')}\n${tail}`;
}

const count = (text: string): number => text.split('\n').length - 1;

function ruleText(i: number): readonly string[] {
  const own = (
    [
      ['kind: match', "pattern: '\\d+ [-+] \\d+ = \\d+'"],
      ['kind: length', 'budget: 400'],
      ['kind: score', 'expression: "completion.length < 500 ? 1 : tokens / 400"'],
      ['kind: repetition', 'n: 4'],
    ] as const
  )[i % 4]!;
  return [
    `    # what rule ${i} is for: a line that somebody wrote, and that is not short`,
    `    rule_${i}:`,
    `      ${own[0]}`,
    `      ${own[1]}`,
    '      weight: 0.01',
    '      tests:',
    ...Array.from(
      { length: 8 },
      (_, n) =>
        `        - { completion: "<think>${n} + 4 = ${n + 4}</think><answer>${n}</answer>", row: { answer: ${n} } }`,
    ),
  ];
}

function phases(n: number): string {
  const one = (i: number): string => `  - id: phase_${i}
    view: ${['text', 'captioned', 'image'][i % 3]}
    sources: [${DATA}]
    steps: 60
    rewards: { use: [rule_${i}, rule_${i + 1}] }
`;
  return `phases:\n${Array.from({ length: n }, (_, i) => one(i)).join('')}`;
}
