// What the thread of a page does for each frame while keys are pressed, by Chromium's own trace: time of the thread, so that
// what else the machine does does not count. A frame is too late where its thread has more to do than a screen waits.

import type { Browser, Page } from 'playwright-core';

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds: when it began, how long it took, how long its thread worked on it. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly data?: { readonly type?: string } };
}

const frameEvent = 'ProxyMain::BeginMainFrame';

/** Of each key that `press` presses the frame that took longest, with all that the thread did since the frame before, in ms. */
export async function framesWhile(
  browser: Browser,
  page: Page,
  press: () => Promise<void>,
): Promise<readonly number[]> {
  await browser.startTracing(page, { categories: ['toplevel', 'cc', 'devtools.timeline'] });
  await press();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString('utf8')) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  const complete = traceEvents.filter(({ ph }) => ph === 'X');
  const own = threadWith(complete, frameEvent);
  const here = complete.filter(event => threadOf(event) === own).toSorted((a, b) => a.ts - b.ts || lasts(b) - lasts(a));
  const tasks = outermost(here);
  const keys = here.filter(({ name, args }) => name === 'EventDispatch' && args?.data?.type === 'keydown');
  const frames: { readonly at: number; readonly workMs: number }[] = [];
  let task = 0;
  for (const { ts } of here.filter(({ name }) => name === frameEvent)) {
    let work = 0;
    for (; task < tasks.length && (tasks[task] as TraceEvent).ts <= ts; task++) work += tasks[task]?.tdur ?? 0;
    frames.push({ at: ts, workMs: work / 1000 });
  }
  return keys.map(({ ts }, i) => {
    const until = keys[i + 1]?.ts ?? Number.POSITIVE_INFINITY;
    return Math.max(0, ...frames.filter(({ at }) => ts <= at && at < until).map(({ workMs }) => workMs));
  });
}

const lasts = ({ dur = 0 }: TraceEvent): number => dur;
const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;

/** The thread that has most events of a name. */
function threadWith(events: readonly TraceEvent[], name: string): string | undefined {
  const counts = new Map<string, number>();
  for (const event of events)
    if (event.name === name) counts.set(threadOf(event), (counts.get(threadOf(event)) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}

/** Those that lie in no other, of events of one thread in their order. */
function outermost(events: readonly TraceEvent[]): readonly TraceEvent[] {
  let end = Number.NEGATIVE_INFINITY;
  return events.filter(event => {
    const isInside = event.ts < end;
    if (!isInside) end = event.ts + lasts(event);
    return !isInside;
  });
}
