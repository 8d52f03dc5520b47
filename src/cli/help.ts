// What `triphase help` says.

const general = `triphase: reasoning RL on vision-language models, in three phases, on this machine.

  triphase run CONFIG             train, from the first phase to the last
  triphase preview CONFIG         the prompts of a phase, and what the rules pay for their answers
  triphase resume RUN             go on with a run that was stopped or broke off
  triphase attach RUN             watch a run that another process serves, and control it
  triphase pause RUN              after the step under way, with everything saved; \`resume\` goes on
  triphase stop RUN               the same, and the process ends
  triphase runs [FOLDER]          the runs in a folder, and how they stand
  triphase evaluate RUN|MODEL     accuracy under five conditions, and language bias
  triphase export RUN|MODEL       a model folder, with the adapter merged
  triphase generate RUN|MODEL PROMPT
                                  sample completions
  triphase rules WHAT …           reward rules, tried without a run
  triphase rescore RUN            what other rules would have paid for a run's rollouts
  triphase hints RUN              what may be wrong with the rewards of a run
  triphase doctor                 what this machine has, and which device is used
  triphase help [COMMAND]
  triphase --version

Ctrl+C ends a run after the current step, with everything saved; a second one ends it at once.

Exit codes: 0 done, 1 failed, 2 the command line, the config or a named folder has to be changed, 130 stopped.
`;

const commands: Readonly<Record<string, string>> = {
  run: `triphase run CONFIG [options]

Trains the phases of a curriculum file (or of the curriculum.yaml in a folder) one after the other. Evaluates before the
first and after each. Everything is written into a new run folder, which is printed first.

  --dry-run           checks config, data and prompts, measures a step of each phase in a temporary folder, and estimates
                      time, memory and disk; nothing is kept
  --quick             a few steps of every phase, to see that all is in order
  --phase ID          this phase only
  --set PATH=VALUE    a setting over the file's, as often as needed: --set grpo.beta=0 --set phases.0.steps=10
  --run-dir DIR       the run folder; default: a new one, named and dated, in the config's run.folder
`,
  preview: `triphase preview CONFIG [options]

Shows prompts of a phase as the model would see them, with their tokens and images, the gold answer, and what each rule
pays for it written as asked, for a wrong answer and for nothing. Needs no weights.

  --phase ID          default: the first
  --n N               so many prompts, those that the run would show first; default 3
  --example ID        this example alone
  --set PATH=VALUE    a setting over the file's
  --json              the same as one line of JSON
`,
  attach: `triphase attach RUN [--take-control]

Shows a run as \`run\` does, whoever serves it, from what it did last on. p pauses and goes on, s stops after the step,
t takes control where another one has it, Ctrl+C or q leaves: the run goes on.

  --take-control      from whoever controls the run now
`,
  pause: `triphase pause RUN [--take-control]

Pauses a run after the step under way, with everything saved and the model in memory; \`triphase resume RUN\` goes on.

  --take-control      from whoever controls the run now
`,
  stop: `triphase stop RUN [options]

Stops a run after the step under way, with everything saved.

  --now               at once, back at the last checkpoint; a host that does not answer is ended by its process
  --take-control      from whoever controls the run now
`,
  runs: `triphase runs [FOLDER] [--json]

Lists the runs in a folder (runs), newest first: state, step, name and folder.
`,
  resume: `triphase resume RUN [options]

Goes on with a run that is paused, as the same attempt. Of a run that nobody serves it goes on from the latest checkpoint,
with the config that the run was started with; what was done after that checkpoint is done again and counts once.

  --from CHECKPOINT   another of its checkpoints, by name; later steps are superseded
`,
  host: `triphase host RUN [options]

Serves a run folder without a terminal: what an editor starts, detached, and attaches to. Prints what \`run\` prints.

  --from CHECKPOINT   another of its checkpoints than the latest, by name
  --attended          below a command that waits for it, as \`run\` and \`resume\` do: it stops when that one is gone
  --new               the folder was made for this run just now, and goes if the run is refused
`,
  evaluate: `triphase evaluate RUN|MODEL [options]

Evaluates the latest checkpoint of a run, a checkpoint folder, or any Hugging Face folder.

  --config CONFIG     what to evaluate on; default: the config of the run
  --set PATH=VALUE    a setting over the file's: --set evaluation.limit=50
  --json              the figures as one line of JSON
`,
  export: `triphase export RUN|MODEL --merged DIR

Writes the latest checkpoint of a run, a checkpoint folder or an adapter as a Hugging Face folder in float32 that needs no
base: the adapter is merged into it, as peft merges.

  --merged DIR        the folder to write, a new or an empty one
`,
  generate: `triphase generate RUN|MODEL "PROMPT" [options]

Samples completions of one user message, through the chat template of a model folder or of a run's latest checkpoint.

  --image FILE        an image before the text; as often as needed
  --temperature T     default 1; 0 is greedy
  --top-k K           only the K most likely tokens; default 0: all
  --top-p P           only the most likely tokens that together reach P; default 1
  --min-p P           only tokens at least P times as likely as the most likely one; default 0
  --repetition-penalty R
                      logits of tokens that are there already are divided by R, negative ones multiplied; default 1
  --stop TEXT         a text that ends a completion; as often as needed
  --prefix TEXT       a text that every completion begins with
  --max-tokens N      default 256
  --samples G         default 1
  --seed S            default 0; the same seed gives the same samples
  --json              {"samples": [{"tokenIds", "text", "logProbs", "stop"}]}: natural logarithms under
                      softmax(logits / T), T = 1 for greedy ones
`,
  rescore: `triphase rescore RUN --config CONFIG [options]

Scores the stored rollouts of a run, ours or of a TRL trainer with log_completions, by the rules of a config: mean, share
that fires and change of each rule, the samples and the groups that change most, with advantages and orders before and
after, groups without spread, hints. One thread a core. Ctrl+C shows what is known so far, marked partial (exit code 130).

  --set PATH=VALUE    a setting over the file's: --set rewards.rules.short.weight=0.5
  --json              the report as one line of JSON
`,
  hints: `triphase hints RUN [options]

Reads the stored rollouts of a run, ours or of a TRL trainer with log_completions, and its event log, and hints at what may
be wrong, with figures and the places to look at: rules that never fire or always pay the same, weights that cancel, groups
without spread and why, truncation, format up while accuracy falls, one answer to everything, answers copied from captions,
length without accuracy.

  --json              {"partial", "samples", "groups", "hints": [{"id", "title", "sentence", "evidence", "rule"?}]}
`,
  rules: `triphase rules test CONFIG [--set PATH=VALUE] [--json]

Runs the cases that stand beside the rules of a config, under tests.

triphase rules check CONFIG [--limit N] [--set PATH=VALUE] [--json]

Tries every rule on what it should pay and refuse, with the first examples of each source (20): the gold answer as asked,
an empty answer, two answers, the right answer in the wrong place, several at once, the question repeated, the caption
copied, very long text. Prints what pays when it should not; exit code 1 where something does. Lengths are in tokens of the
model, or in words where its folder has no tokenizer.json.

triphase rules apply RUN CONFIG [--set PATH=VALUE] [--json]

Gives a run that is under way the rewards of a config, and those of its phases, from the step after the one under way. They
become a version of the run's rules, which events and rollouts name; nothing else of the config is taken.

triphase rules answers FILE.jsonl [options]

Grades lines of {"gold", "pred"} as mathematics; where a line has "equal", prints the agreement and every disagreement.

  --json                   {"verdicts": ["right" | "wrong" | "ungradable", …]}
  --convention NAME=VALUE  percent=unit|fraction, lists=unordered|ordered, rounding=N, unreduced=accept|refuse,
                           names=strict|any, relations=accept|refuse, decimal_comma=read|list; the first is the default
                           (rounding: 6)
`,
  doctor: `triphase doctor [--model DIR [--batch N] [--length N]]

Says what this machine has, tries every device that this build of onnxruntime carries, and says which a run would use.

  --model DIR              instead: what a model folder is, from its headers alone, and whether it fits each device for
                           generation, for training an adapter and for training all of it; the memory of a device that
                           no driver tells of is TRIPHASE_DEVICE_MEMORY_GIB
  --batch N                prompts that run together, with eight completions each (1)
  --length N               tokens of a completion, behind a prompt of half as many (1024)
`,
};

export const commandNames: readonly string[] = [...Object.keys(commands), 'help'];

/** undefined: there is no such command. */
export function helpText(command: string | undefined): string | undefined {
  return command === undefined || command === 'help' ? general : commands[command];
}
