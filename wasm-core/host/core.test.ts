// The core's life: stage, warm up, activate, roll back, trap and recovery, and the promise that
// memory never grows.

import { describe, expect, test } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import { seededRandom } from '../../domain/random.ts';
import * as at from '../layout.ts';
import { hardRow } from '../testing/random-ensemble.ts';
import { prepareSpec, smallSpec } from '../testing/test-bundle.ts';
import { ARENA_BYTES_DEFAULT, Core, planCoreMemory } from './core.ts';
import { placeDetectors } from './ensemble.ts';
import type { PreparedBundle } from './prepare.ts';
import { referenceSlots } from './reference.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof PicketError ? error.code : `not coded: ${String(error)}`;
  }
  return 'no error';
}

const ROW = hardRow(seededRandom(77), smallSpec(1).detectors[0]!.ensemble).fill(1.25, 0, 1);

/** What bundle `seed` gives for ROW, by the reference. */
function expected(seed: number): number {
  return referenceSlots(placeDetectors(smallSpec(seed).detectors), ROW)[1]!;
}

function scoreRow(core: Core): number {
  core.vector.set(ROW);
  return core.score();
}

function activated(core: Core, seed: number): PreparedBundle {
  const prepared = prepareSpec(smallSpec(seed));
  core.stage(prepared);
  core.warmUp(10);
  core.activate();
  return prepared;
}

/** The same bundle with its first column record pointing far outside the memory. */
function poisoned(prepared: PreparedBundle): PreparedBundle {
  const image = prepared.image.slice(0);
  const view = new DataView(image);
  const record = prepared.detectors[0]!.record;
  const columns = view.getUint32(record + at.DETECTOR_COLUMNS8, true);
  view.setUint32(columns, 0xfffffff0, true);
  return { ...prepared, image };
}

describe('swap', () => {
  test('activate, activate, roll back, roll back: each scores as its own bundle', () => {
    const core = new Core();
    const first = activated(core, 1);
    expect(scoreRow(core)).toBe(expected(1));
    const second = activated(core, 2);
    expect([core.activeId, core.previousId]).toEqual([second.id, first.id]);
    expect(scoreRow(core)).toBe(expected(2));
    core.rollback();
    expect([core.activeId, core.previousId]).toEqual([first.id, second.id]);
    expect(scoreRow(core)).toBe(expected(1));
    core.rollback();
    expect(scoreRow(core)).toBe(expected(2));
  });

  test('a candidate changes nothing until it is activated, and a new candidate replaces it', () => {
    const core = new Core();
    const first = activated(core, 1);
    activated(core, 2);
    for (const seed of [3, 4]) {
      const prepared = prepareSpec(smallSpec(seed));
      core.stage(prepared);
      core.warmUp(5);
      expect(core.candidateId).toBe(prepared.id);
      expect(scoreRow(core)).toBe(expected(2));
    }
    expect(core.previousId).toBe(first.id);
    core.rollback();
    expect(scoreRow(core)).toBe(expected(1));
    core.activate();
    expect(scoreRow(core)).toBe(expected(4));
  });

  test('twenty swaps in one memory: bits stay right and the memory stays as planned', () => {
    const core = new Core();
    const { buffer } = core.vector;
    for (let seed = 1; seed <= 20; seed++) {
      activated(core, seed);
      expect(scoreRow(core)).toBe(expected(seed));
    }
    expect(core.vector.buffer).toBe(buffer);
    expect(buffer.byteLength).toBe(core.memoryPlan().totalBytes);
  });

  test('warm-up leaves the vector as it was', () => {
    const core = new Core();
    core.vector.forEach((_, place) => {
      core.vector[place] = place;
    });
    core.stage(prepareSpec(smallSpec(1)));
    core.warmUp(20);
    expect(core.vector.every((value, place) => value === place)).toBe(true);
  });

  test('what is not there is said with a code', () => {
    const core = new Core();
    expect(codeOf(() => core.score())).toBe('NOT_FOUND');
    expect(codeOf(() => core.activate())).toBe('NOT_FOUND');
    expect(codeOf(() => core.warmUp())).toBe('NOT_FOUND');
    expect(codeOf(() => core.rollback())).toBe('NOT_FOUND');
    activated(core, 1);
    expect(codeOf(() => core.rollback())).toBe('NOT_FOUND');
    expect(codeOf(() => core.scoreOnDemand('nobody'))).toBe('NOT_FOUND');
  });
});

describe('what must not pass', () => {
  test('a golden row with other bits fails the warm-up and names the detector', () => {
    const prepared = prepareSpec(smallSpec(1));
    const slots = prepared.golden.slots.slice();
    slots[1] = slots[1]! + Number.EPSILON;
    const core = new Core();
    core.stage({ ...prepared, golden: { ...prepared.golden, slots } });
    expect(codeOf(() => core.warmUp())).toBe('BUNDLE_SELF_TEST');
    expect(() => core.warmUp()).toThrow(/row 0 .* verdict/);
  });

  test('an image over the arena is refused, and the active bundle goes on', () => {
    const prepared = prepareSpec(smallSpec(1));
    const core = new Core({ arenaBytes: prepared.image.byteLength });
    core.stage(prepared);
    core.activate();
    const larger = { ...prepared, image: new ArrayBuffer(prepared.image.byteLength + 64) };
    expect(codeOf(() => core.stage(larger))).toBe('BUNDLE_TOO_LARGE');
    expect(scoreRow(core)).toBe(expected(1));
  });
});

describe('trap', () => {
  test('a trap is CORE_TRAP; reset() brings active and previous back on fresh memory', () => {
    const core = new Core();
    activated(core, 1);
    core.stage(poisoned(prepareSpec(smallSpec(2))));
    core.activate();
    core.vector.set(ROW);
    expect(codeOf(() => core.score())).toBe('CORE_TRAP');
    core.rollback();
    const before = core.vector;
    core.reset();
    expect(core.vector).not.toBe(before);
    expect(core.vector[0]).toBe(0);
    expect(scoreRow(core)).toBe(expected(1));
    core.rollback();
    core.vector.set(ROW);
    expect(codeOf(() => core.score())).toBe('CORE_TRAP');
  });

  test('a candidate that traps in its warm-up never becomes active; reset() keeps it staged', () => {
    const core = new Core();
    const active = activated(core, 1);
    const bad = poisoned(prepareSpec(smallSpec(2)));
    core.stage(bad);
    expect(codeOf(() => core.warmUp())).toBe('CORE_TRAP');
    core.reset();
    expect([core.activeId, core.previousId, core.candidateId]).toEqual([active.id, null, bad.id]);
    expect(scoreRow(core)).toBe(expected(1));
  });

  test('the debug build finds a wild row pointer by assertion before memory does', () => {
    const prepared = prepareSpec(smallSpec(1));
    const image = prepared.image.slice(0);
    const view = new DataView(image);
    const columns = view.getUint32(prepared.detectors[0]!.record + at.DETECTOR_COLUMNS8, true);
    view.setUint32(columns + 12, 0x7ffffff, true);
    const core = new Core({ variant: 'debug' });
    core.stage({ ...prepared, image });
    core.activate();
    core.vector.fill(Number.NaN, 0, 3);
    expect(() => core.score()).toThrow(/unreachable/);
  });
});

describe('memory', () => {
  test('the default plan is 16 MiB: the fixed part and three arenas', () => {
    const plan = new Core().memoryPlan();
    expect(plan).toEqual({
      fixedBytes: at.ARENA_BASE,
      arenaBytes: ARENA_BYTES_DEFAULT,
      arenaCount: 3,
      totalBytes: 16 * 1024 * 1024,
    });
    expect(planCoreMemory()).toEqual(plan);
  });

  test('the vector lies in memory of exactly the planned size, before and after a reset', () => {
    const core = new Core({ arenaBytes: 100_000 });
    const { totalBytes } = planCoreMemory({ arenaBytes: 100_000 });
    expect(core.vector.buffer.byteLength).toBe(totalBytes);
    core.reset();
    expect(core.vector.buffer.byteLength).toBe(totalBytes);
  });

  test('the parts of the memory map stand in order and do not overlap', () => {
    const parts = [
      [0, 1024],
      [at.VECTOR_PTR, at.VECTOR_PLACES * 8],
      [at.COPY_PTR, at.COPY_SLOTS * 8],
      [at.ROWS_PTR, at.ROWS_COLUMNS * 4],
      [at.ACC_PTR, at.ACC_BYTES],
      [at.ARENA_BASE, 0],
    ] as const;
    parts.slice(1).forEach(([start], i) => {
      expect(start).toBeGreaterThanOrEqual(parts[i]![0] + parts[i]![1]);
    });
  });
});
