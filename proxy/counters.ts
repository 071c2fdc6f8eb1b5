// Counters, gauges and histograms of one data thread, in shared memory: the data thread writes, the control thread reads.
// The catalogue of places is built from the closed lists of domain/, so a new reason code gets its counter by itself.
// A count is one array add. Nothing here makes text: metrics.ts and status.ts do.

import { PRINCIPAL_SOURCES } from '../domain/identity.ts';
import { NOTES, type NoteCode, REFUSAL_CODES, type RefusalCode } from '../domain/refusal.ts';
import {
  MODES,
  type Mode,
  UNSCORED_CAUSES,
  type UnscoredCause,
  VERDICTS,
  type Verdict,
} from '../domain/verdict.ts';

/** Bins of a histogram per doubling of the value; 8 give quantiles to within 9 %. */
export const BINS_PER_OCTAVE = 8;
/** Octaves from 1 microsecond: the last bin holds everything from 2^27 us (134 s) upwards. */
export const HISTOGRAM_OCTAVES = 27;
export const HISTOGRAM_BINS = BINS_PER_OCTAVE * HISTOGRAM_OCTAVES + 1;
/** A histogram's places: its bins, then the sum in milliseconds. */
const HISTOGRAM_PLACES = HISTOGRAM_BINS + 1;

export const NOTE_CODES = Object.keys(NOTES) as NoteCode[];

const SINGLES = [
  /** Complete heads received, plus messages that the parser rejected. requests = scored + uninspected + rejected. */
  'requests',
  'scored',
  /** Requests that the origin was sent; a retry is an attempt, not a second forwarded request. */
  'forwarded',
  'attempts',
  /** Answers of the origin that reached a row, and those that came after the row had gone. */
  'outcomes',
  'staleOutcomes',
  'exempted',
  'bytesIn',
  'bytesOut',
  'connectionsTotal',
  'tunnelsTotal',
  /** Exceptions that the data thread caught where none should come from. */
  'internalErrors',
  'coreResets',
  /** Allowed requests that left no event because the ring was under pressure (others carry their weight). */
  'eventsSampledOut',
  /** Tokens that were handed over to be verified; those for which the queue had no room; those too long to look at. */
  'tokensSubmitted',
  'tokensDropped',
  'tokensTooLong',
  /** Requests whose body was waited for, and those that should have been but found no room. */
  'bodiesHeld',
  'bodiesUnheld',
  /** Login names that were read from held bodies. */
  'loginsRead',
  /** Gauges. */
  'inflight',
  'connections',
  'tunnels',
  'identities',
  'evictions',
  'replicas',
  /** Beats of the data thread; the control thread looks whether it moves. */
  'heartbeat',
  /** 1 while the listeners of the data thread accept connections. */
  'listening',
] as const;
export type SingleName = (typeof SINGLES)[number];

interface Places {
  readonly single: Readonly<Record<SingleName, number>>;
  readonly uninspected: number;
  readonly rejected: number;
  readonly refused: number;
  readonly answers: number;
  readonly notes: number;
  readonly verdicts: number;
  readonly statusClasses: number;
  readonly principals: number;
  readonly addedLatency: number;
  readonly upstreamLatency: number;
  readonly count: number;
}

function layOut(): Places {
  let next = 0;
  const block = (size: number): number => {
    const start = next;
    next += size;
    return start;
  };
  const single = Object.fromEntries(SINGLES.map((name) => [name, block(1)])) as Record<SingleName, number>;
  return {
    single,
    uninspected: block(UNSCORED_CAUSES.length),
    rejected: block(REFUSAL_CODES.length),
    refused: block(REFUSAL_CODES.length),
    answers: block(REFUSAL_CODES.length),
    notes: block(NOTE_CODES.length),
    verdicts: block(VERDICTS.length * MODES.length),
    statusClasses: block(6),
    principals: block(PRINCIPAL_SOURCES.length),
    addedLatency: block(HISTOGRAM_PLACES),
    upstreamLatency: block(HISTOGRAM_PLACES),
    count: next,
  };
}

const PLACES = layOut();

/** Place of each single counter and gauge, for `add`, `set` and `get`. */
export const COUNTER: Readonly<Record<SingleName, number>> = PLACES.single;
/** First place of a histogram, for `observe`. */
export const HISTOGRAM = {
  /** What Picket itself added to a request, from accept to hand-over plus from the origin's head to ours. */
  addedLatency: PLACES.addedLatency,
  /** From hand-over to the origin's response head. */
  upstreamLatency: PLACES.upstreamLatency,
} as const;
export const COUNTERS_BYTES = PLACES.count * Float64Array.BYTES_PER_ELEMENT;

const REFUSAL_INDEX = new Map<string, number>(REFUSAL_CODES.map((code, i) => [code, i]));
const NOTE_INDEX = new Map<string, number>(NOTE_CODES.map((code, i) => [code, i]));
const CAUSE_INDEX = new Map<string, number>(UNSCORED_CAUSES.map((cause, i) => [cause, i]));

export function uninspectedPlace(cause: UnscoredCause): number {
  return PLACES.uninspected + (CAUSE_INDEX.get(cause) ?? 0);
}

export function rejectedPlace(code: RefusalCode): number {
  return PLACES.rejected + (REFUSAL_INDEX.get(code) ?? 0);
}

export function refusedPlace(code: RefusalCode): number {
  return PLACES.refused + (REFUSAL_INDEX.get(code) ?? 0);
}

/** Every answer that Picket made in place of the origin, by its code. */
export function answerPlace(code: RefusalCode): number {
  return PLACES.answers + (REFUSAL_INDEX.get(code) ?? 0);
}

export function notePlace(code: NoteCode): number {
  return PLACES.notes + (NOTE_INDEX.get(code) ?? 0);
}

export function verdictPlace(verdict: Verdict, mode: Mode): number {
  return PLACES.verdicts + VERDICTS.indexOf(verdict) * MODES.length + MODES.indexOf(mode);
}

/** Requests by who named their principal; `source`: index into PRINCIPAL_SOURCES. */
export function principalPlace(source: number): number {
  return PLACES.principals + source;
}

/** Place of an answer's status class; anything outside 100..599 counts as class 0. */
export function statusClassPlace(status: number): number {
  const digit = Math.floor(status / 100);
  return PLACES.statusClasses + (digit >= 1 && digit <= 5 ? digit : 0);
}

/** Bin of a value in milliseconds. */
export function binOf(valueMs: number): number {
  const octave = Math.log2(valueMs * 1000);
  if (!(octave > 0)) return 0;
  return Math.min(HISTOGRAM_BINS - 1, Math.floor(octave * BINS_PER_OCTAVE));
}

/** Upper bound of a bin, milliseconds; Infinity for the last. */
export function binUpperMs(bin: number): number {
  return bin === HISTOGRAM_BINS - 1 ? Infinity : 2 ** ((bin + 1) / BINS_PER_OCTAVE) / 1000;
}

/** One writer, any number of readers. Values are exact integers up to 2^53 (sums of milliseconds are not integers). */
export class Counters {
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array;

  /** Without a buffer it makes its own; one that is given keeps its counts. Throws RangeError if it is too small. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(COUNTERS_BYTES)) {
    if (buffer.byteLength < COUNTERS_BYTES) {
      throw new RangeError(`counters need ${COUNTERS_BYTES} bytes, got ${buffer.byteLength}`);
    }
    this.buffer = buffer;
    this.#values = new Float64Array(buffer, 0, PLACES.count);
  }

  add(place: number, n = 1): void {
    this.#values[place]! += n;
  }

  /** For gauges. */
  set(place: number, value: number): void {
    this.#values[place] = value;
  }

  get(place: number): number {
    return this.#values[place] ?? 0;
  }

  /** Counts one value, in milliseconds, into a histogram of HISTOGRAM. */
  observe(histogram: number, valueMs: number): void {
    const values = this.#values;
    values[histogram + binOf(valueMs)]! += 1;
    values[histogram + HISTOGRAM_BINS]! += valueMs;
  }

  /** Adds the bins of a histogram to `into` (HISTOGRAM_BINS long); returns the sum of its values, milliseconds. */
  readHistogram(histogram: number, into: Float64Array): number {
    for (let bin = 0; bin < HISTOGRAM_BINS; bin++) into[bin]! += this.get(histogram + bin);
    return this.get(histogram + HISTOGRAM_BINS);
  }
}

/** The value below which the share `quantile` (0..1) of a histogram lies, milliseconds; NaN if it is empty. */
export function quantileMs(bins: Float64Array, quantile: number): number {
  let total = 0;
  for (const count of bins) total += count;
  if (total === 0) return Number.NaN;
  let seen = 0;
  for (let bin = 0; bin < bins.length; bin++) {
    seen += bins[bin]!;
    if (seen >= quantile * total) return bin === bins.length - 1 ? binUpperMs(bin - 1) : binUpperMs(bin);
  }
  return binUpperMs(bins.length - 2);
}
