// Which rows of a table come first when not all can be kept: those that the origin answered well before those on probation, and
// among these by how long ago they were seen, an age that 2^n good answers make 2^n times shorter (as ADR 0010 has it for who
// makes room). Orders by 512 steps, a few thousand rows at a time. Called by snapshot-write.ts.

import type { TableReader } from './state-view.ts';

/** Steps of rows with good answers come first, as many of rows on probation after them. */
const STEPS = 256;
export const STEP_COUNT = 2 * STEPS;
const STEPS_PER_OCTAVE = 8;
/** Slots looked at between two pauses. */
const SLOTS_A_TURN = 8_192;

/** Place in the order: 0 is kept first. `age` in look-ups since the row was seen. */
export function rankStep(goodAnswers: number, age: number): number {
  const weighed = goodAnswers === 0 ? age : age / 2 ** (31 - Math.clz32(goodAnswers));
  const step = Math.min(STEPS - 1, Math.floor(Math.log2(1 + weighed) * STEPS_PER_OCTAVE));
  return goodAnswers === 0 ? STEPS + step : step;
}

/** Ages are kept to within 0.04 %: 2^(1/1024) - 1, in 16 bits. */
const AGE_STEPS = 1024;
const GOOD_MAX = 0xffff;

/** Good answers (at most 65,535) and age of a row in one word, as a snapshot keeps them. */
export function packRank(goodAnswers: number, age: number): number {
  const code = Math.round(Math.log2(1 + age) * AGE_STEPS);
  return ((code << 16) | Math.min(goodAnswers, GOOD_MAX)) >>> 0;
}

export function unpackRank(word: number): { readonly good: number; readonly age: number } {
  return { good: word & GOOD_MAX, age: Math.round(2 ** ((word >>> 16) / AGE_STEPS)) - 1 };
}

export interface RankedSlots {
  readonly table: TableReader;
  /** Slots of rows in use, best first. */
  readonly slots: Uint32Array;
  /** Where each step begins in `slots`; one more entry for the end. */
  readonly starts: Uint32Array;
  /** Look-ups of the table when its rows were ranked. */
  readonly tick: number;
}

/** Look-ups since a row was seen, both modulo 2^32; one that was seen after `tick` was read is of no age. */
export function ageOf(tick: number, seen: number): number {
  return Math.max(0, (tick - seen) | 0);
}

/** Ranks the rows in use of a table that may change meanwhile; yields between turns of bounded work. */
export function* rankSlots(table: TableReader): Generator<null, RankedSlots> {
  const { capacity } = table.view;
  const steps = new Uint16Array(capacity).fill(STEP_COUNT);
  const starts = new Uint32Array(STEP_COUNT + 1);
  const { tick } = table;
  for (let slot = 0; slot < capacity; slot++) {
    if (slot % SLOTS_A_TURN === SLOTS_A_TURN - 1) yield null;
    if (table.tag(slot) === 0) continue;
    const step = rankStep(table.good(slot), ageOf(tick, table.seen(slot)));
    steps[slot] = step;
    starts[step + 1] = starts[step + 1]! + 1;
  }
  for (let step = 0; step < STEP_COUNT; step++) starts[step + 1] = starts[step + 1]! + starts[step]!;
  const slots = new Uint32Array(starts[STEP_COUNT]!);
  const next = starts.slice(0, STEP_COUNT);
  for (let slot = 0; slot < capacity; slot++) {
    if (slot % SLOTS_A_TURN === SLOTS_A_TURN - 1) yield null;
    const step = steps[slot]!;
    if (step === STEP_COUNT) continue;
    slots[next[step]!] = slot;
    next[step] = next[step]! + 1;
  }
  return { table, slots, starts, tick };
}
