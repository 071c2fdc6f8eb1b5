// Which rows of a table come first when not all can be kept: those that the origin answered well before those on probation, and
// among these by how long ago they were seen, an age that 2^n good answers make 2^n times shorter (as ADR 0010 has it for who
// makes room). Orders by 512 steps, a few thousand rows at a time. Called by snapshot-write.ts.

import type { TableReader } from './state-view.ts';

/** Steps of rows with good answers come first, as many of rows on probation after them. */
const STEPS = 256;
export const STEP_COUNT = 2 * STEPS;
const STEPS_PER_OCTAVE = 8;
/** Slots looked at between two pauses. */
const SLOTS_A_TURN = 16_384;

/** Place in the order: 0 is kept first. `age` in look-ups since the row was seen. */
export function rankStep(goodAnswers: number, age: number): number {
  const weighed = goodAnswers === 0 ? age : age / 2 ** (31 - Math.clz32(goodAnswers));
  const step = Math.min(STEPS - 1, Math.floor(Math.log2(1 + weighed) * STEPS_PER_OCTAVE));
  return goodAnswers === 0 ? STEPS + step : step;
}

export interface RankedSlots {
  readonly table: TableReader;
  /** Slots of rows in use, best first. */
  readonly slots: Uint32Array;
  /** Where each step begins in `slots`; one more entry for the end. */
  readonly starts: Uint32Array;
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
    // Seen after `tick` was read: not older than it.
    const age = Math.max(0, (tick - table.seen(slot)) | 0);
    const step = rankStep(table.good(slot), age);
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
  return { table, slots, starts };
}
