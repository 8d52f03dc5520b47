// A chat template of a model folder is a program in Jinja, by whoever made the folder: it is run with a bound to what it
// does, which is a count and no time, so that what comes of it does not depend on how busy the machine is.

import { Environment, Interpreter, Template } from '@huggingface/jinja';

/** Of evaluations, elements and characters, as `workOf` counts them; a template of a published model takes some hundred for a message. */
const mostWork = 50_000;
const mostRange = 100_000;
const charactersAsOne = 256;

type Statement = Parameters<Interpreter['evaluate']>[0];

class Bounded extends Interpreter {
  private work = 0;

  override evaluate(statement: Statement, environment: Environment): ReturnType<Interpreter['evaluate']> {
    const value = super.evaluate(statement, environment);
    this.work += workOf(value.value);
    if (this.work > mostWork) throw new Error(`it does not end within ${mostWork} evaluations`);
    return value;
  }
}

/** What is done with a value takes as long as it is large: a loop over a list, a filter of a text. */
function workOf(value: unknown): number {
  if (typeof value === 'string') return 1 + value.length / charactersAsOne;
  return 1 + (Array.isArray(value) ? value.length : 0);
}

/** As the library renders it. Throws an Error where the template fails, or goes beyond its bounds. */
export function renderBounded(template: Template, items: Readonly<Record<string, unknown>>): string {
  const environment = new Environment();
  const globals = {
    false: false,
    true: true,
    none: null,
    False: false,
    True: true,
    None: null,
    raise_exception: (message: string) => {
      throw new Error(message);
    },
    range,
    strftime_now: (format: string) => new Template('{{ strftime_now(format) }}').render({ format }),
  };
  for (const [name, value] of Object.entries({ ...globals, ...items })) environment.set(name, value as never);
  return String(new Bounded(environment).run(template.parsed).value);
}

function range(from: number, to?: number, step = 1): readonly number[] {
  const [start, end] = to === undefined ? [0, from] : [from, to];
  const length = Math.max(0, Math.ceil((end - start) / step));
  if (!(length <= mostRange)) throw new Error(`a range of ${length} numbers is too long`);
  return Array.from({ length }, (_, i) => start + i * step);
}
