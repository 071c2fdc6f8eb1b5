// Surprise against plain maps of counts; hours and rings against lists; sketches within their bounds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEQUENCE_FEATURES } from '../../domain/features-sequence.ts';
import { seededRandom } from '../../domain/random.ts';
import { mix32 } from '../sketch.ts';
import { KernelCall } from '../testing/kernel-call.ts';
import { type Call, NaiveSequence, surpriseOf } from '../testing/naive-sequence.ts';
import { outOfRange } from '../testing/ranges.ts';
import { EngineMemory } from './memory.ts';
import { configureSession, RARITY_BYTES, SEQUENCE_WORDS, sessionBytes } from './session-kernels.ts';

const PLACES = SEQUENCE_FEATURES.length;
const START_MS = 1_700_000_000_000;
const FAMILIES = [0, mix32(1), mix32(2), mix32(3)];

/** The kernel with blocks for three principals. */
function sequencer() {
  const memory = new EngineMemory(sessionBytes() + 4096);
  configureSession(memory, { sequence: 0 });
  const { kernels } = memory;
  expect(kernels.sequenceBytes.value).toBe(SEQUENCE_WORDS * 4);
  const blocks = Array.from({ length: 3 }, () => memory.take(SEQUENCE_WORDS * 4));
  const out = memory.take(PLACES * 8);
  const struct = new KernelCall(memory);
  return {
    begin: (who: number, route: number, nowMs: number) =>
      kernels.sequenceBegin(blocks[who] as number, route, nowMs),
    /** `who` is null for a principal without a profile. */
    observe(who: number | null, call: Omit<Call, 'who'>): number[] {
      struct.moveTo(call.nowMs);
      struct.set({ route: call.route, agentFamily: call.agentFamily, asn: call.asn });
      kernels.sequenceObserve(who === null ? 0 : (blocks[who] as number), out);
      return [...memory.doubles.subarray(out / 8, out / 8 + PLACES)];
    },
    answered(who: number | null, route: number, status: number) {
      struct.set({ route, status });
      kernels.sequenceAnswered(who === null ? 0 : (blocks[who] as number));
    },
  };
}

function compare(seed: number): void {
  const random = seededRandom(seed);
  const sequence = sequencer();
  const naive = new NaiveSequence();
  const begun = new Set<number>();
  let nowMs = START_MS;
  for (let n = 0; n < 150; n++) {
    nowMs += Math.floor(10 ** (random.next() * 6.7) - 1);
    const route = mix32(1 + random.int(9));
    const call = {
      who: random.int(3),
      route,
      agentFamily: FAMILIES[random.int(4)] as number,
      asn: random.int(3),
      nowMs,
    };
    if (!begun.has(call.who)) {
      begun.add(call.who);
      sequence.begin(call.who, route, nowMs);
      naive.begin(call);
      naive.firsts.add(call);
      continue;
    }
    const out = sequence.observe(call.who, call);
    expect([seed, n, ...out]).toEqual([seed, n, ...naive.observe(call)]);
    expect(outOfRange(SEQUENCE_FEATURES, Float64Array.from(out))).toEqual([]);
    if (random.next() < 0.6) {
      const status = [200, 404, 500][random.int(3)] as number;
      sequence.answered(call.who, route, status);
      naive.answered(call, status);
    }
  }
}

describe('sequence', () => {
  it('equals plain counts', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), compare), { numRuns: 40 });
  });

  it('gives what it can for a principal without a profile', () => {
    const sequence = sequencer();
    const out = sequence.observe(null, { route: 1, agentFamily: 2, asn: 3, nowMs: 0 });
    expect(out.map((value) => Number.isNaN(value))).toEqual([
      ...[true, true, true, true, false, false, false, true, true, true],
    ]);
    sequence.answered(null, 1, 200);
    sequence.begin(0, 1, 0);
    sequence.answered(0, 1, 200);
    expect(sequence.observe(0, { route: 1, agentFamily: 2, asn: 3, nowMs: 0 })[3]).toBe(
      Math.fround(-Math.log2(1.5 / 2)),
    );
  });

  it('learns the habitual hours: the dead ones surprise', () => {
    const sequence = sequencer();
    const day = 86_400_000;
    sequence.begin(0, 1, 0);
    const at = (nowMs: number) =>
      sequence.observe(0, { route: 1, agentFamily: 0, asn: 0, nowMs })[7] as number;
    for (let n = 0; n < 200_000; n++) at(Math.floor(n / 1000) * day + 9 * 3_600_000);
    expect(at(201 * day + 9 * 3_600_000)).toBeLessThan(0.1);
    expect(at(201 * day + 15 * 3_600_000)).toBeGreaterThan(14);
  });
});

function sketch(limit = 2 ** 24) {
  const memory = new EngineMemory(RARITY_BYTES);
  const at = memory.take(RARITY_BYTES);
  expect(memory.kernels.rarityBytes.value).toBe(RARITY_BYTES);
  memory.kernels.rarityBegin(at, limit);
  return {
    add: (hash: number) => memory.kernels.rarityAdd(at, hash),
    count: (hash: number) => memory.kernels.rarityCount(at, hash),
    total: () => memory.words[at / 4] as number,
    surpriseOf: (count: number, total: number) => memory.kernels.surpriseOf(count, total),
  };
}

describe('rarity', () => {
  it('never counts too little, and rarely too much', () => {
    const random = seededRandom(3);
    const rarity = sketch();
    const truth = new Map<number, number>();
    for (let n = 0; n < 100_000; n++) {
      const item = mix32(Math.floor(random.next() ** 3 * 5000));
      truth.set(item, (truth.get(item) ?? 0) + 1);
      rarity.add(item);
    }
    let wrong = 0;
    for (const [item, count] of truth) {
      expect(rarity.count(item)).toBeGreaterThanOrEqual(count);
      if (rarity.count(item) > count + 5) wrong++;
    }
    expect(wrong / truth.size).toBeLessThan(0.1);
  });

  it('halves at its limit and keeps probabilities', () => {
    const rarity = sketch(1000);
    for (let n = 0; n < 999; n++) rarity.add(n % 2 === 0 ? 1 : 0xf0000002);
    const before = surpriseOf(rarity.count(1), rarity.total());
    rarity.add(0xf0000002);
    expect(rarity.total()).toBe(500);
    expect(Math.abs(surpriseOf(rarity.count(1), rarity.total()) - before)).toBeLessThan(0.02);
  });

  it('gives surprise to 0.001 bits, within its bounds', () => {
    const rarity = sketch();
    expect(rarity.surpriseOf(0, 0)).toBe(1);
    for (const [count, total] of [
      [0, 3],
      [3, 4095],
      [5000, 70_001],
      [0, 2 ** 31 - 2],
    ] as const) {
      expect(Math.abs(rarity.surpriseOf(count, total) - surpriseOf(count, total))).toBeLessThan(0.001);
      expect(rarity.surpriseOf(count, total)).toBeLessThanOrEqual(SEQUENCE_FEATURES[0]!.range[1]);
    }
    expect(rarity.surpriseOf(9, 3)).toBe(0);
  });
});
