// Whether the worker is at work: it counts up a number in shared memory at everything it begins and ends, and this looks
// at the number now and then. A long run of onnxruntime and a hang are both silence; they differ in how long it lasts
// and in whether the process computes.

import type { Pulse } from '../protocol/host';
import type { Activity } from '../protocol/run-state';

/** Silence is said to be long when it is so many times what was usual, but never before so many seconds. */
const times = 10;
const leastSeconds = Number(process.env['TRIPHASE_SILENT_SECONDS'] ?? 60);
/** Of one core. */
const idle = 0.05;
/** A gap between two looks that only a machine that slept explains. */
const sleptSeconds = 10;

export interface PulseSource {
  /** The number in shared memory. */
  beats(): number;
  /** Seconds, of a clock that nobody sets. */
  now(): number;
  /** Seconds of computing of the whole process so far, of all its threads. */
  computed(): number;
}

export class PulseWatch {
  private beats: number;
  private lastBeat: number;
  private lastLook: number;
  private computedAtBeat: number;
  private usual: number | undefined;
  private activity: Activity | undefined;

  constructor(private readonly source: PulseSource) {
    this.beats = source.beats();
    this.lastBeat = this.lastLook = source.now();
    this.computedAtBeat = source.computed();
  }

  doing(activity: Activity): void {
    this.activity = activity;
  }

  /** A step took so long: a silence of that length is nothing to wonder at. */
  stepTook(seconds: number): void {
    this.usual = Math.max(this.usual ?? 0, seconds);
  }

  /** To be asked every second or so. @param waits the worker waits for somebody: its silence is no sign */
  look(waits: boolean): Pulse {
    const now = this.source.now();
    const beats = this.source.beats();
    const gap = now - this.lastLook;
    // nothing was computed while the machine slept
    if (gap > sleptSeconds) this.lastBeat += gap;
    this.lastLook = now;
    if (waits || beats !== this.beats) {
      if (!waits) this.usual = Math.max(this.usual ?? 0, now - this.lastBeat);
      this.beats = beats;
      this.lastBeat = now;
      this.computedAtBeat = this.source.computed();
    }
    const silentSeconds = now - this.lastBeat;
    const busyCores = silentSeconds === 0 ? 1 : (this.source.computed() - this.computedAtBeat) / silentSeconds;
    const long = silentSeconds > Math.max(leastSeconds, times * (this.usual ?? 0));
    return {
      verdict: !long ? 'working' : busyCores < idle ? 'hangs' : 'slow',
      ...(this.activity === undefined ? {} : { activity: this.activity }),
      silentSeconds,
      ...(this.usual === undefined ? {} : { usualSeconds: this.usual }),
      busyCores,
    };
  }
}
