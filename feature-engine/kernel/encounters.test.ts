// Encounter counts against the full list of requests; what bounded sets may forget, and what never.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCOUNTER_FEATURES } from '../../domain/features-encounters.ts';
import { seededRandom } from '../../domain/random.ts';
import { KernelCall } from '../testing/kernel-call.ts';
import { encountersOf, type Seen } from '../testing/naive-encounters.ts';
import { outOfRange } from '../testing/ranges.ts';
import { EngineMemory } from './memory.ts';
import { configureSession, ENCOUNTER_WORDS, sessionBytes } from './session-kernels.ts';

const START_MS = 1_700_000_000_000;
function counter() {
  const memory = new EngineMemory(sessionBytes() + 4096);
  configureSession(memory, { encounters: 0 });
  expect(memory.kernels.encountersBytes.value).toBe(ENCOUNTER_WORDS * 4);
  const block = memory.take(ENCOUNTER_WORDS * 4);
  const out = memory.take(ENCOUNTER_FEATURES.length * 8) / 8;
  const call = new KernelCall(memory);
  return (seen: Seen): number[] => {
    const { atMs, ...words } = seen;
    call.moveTo(atMs);
    call.set(words);
    memory.kernels.encountersObserve(block, out * 8);
    const counts = memory.doubles.slice(out, out + ENCOUNTER_FEATURES.length);
    expect(outOfRange(ENCOUNTER_FEATURES, counts)).toEqual([]);
    return [...counts];
  };
}

describe('encounters', () => {
  it('equal the full list while the sets hold all items', () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const count = counter();
      const history: Seen[] = [];
      let atMs = START_MS;
      for (let n = 0; n < 150; n++) {
        atMs += Math.floor(10 ** (random.next() * 7.5) - 1);
        const seen = {
          atMs,
          method: random.int(8),
          agent: random.int(9),
          route: 1 + random.int(16),
          path: 1 + random.int(24),
        };
        history.push(seen);
        expect([seed, n, ...count(seen)]).toEqual([seed, n, ...encountersOf(history, seen)]);
      }
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), run), { numRuns: 40 });
  });

  it('never count too much, and keep what is habitual while a scraper asks for ever new paths', () => {
    const random = seededRandom(5);
    const count = counter();
    const history: Seen[] = [];
    for (let n = 0; n < 1500; n++) {
      const usual = n < 20 || n % 4 === 0;
      const path = usual ? 1 + ((n < 20 ? n : random.int(20)) % 5) : 1000 + n;
      const seen = { atMs: START_MS + n * 500, method: 0, agent: 1, route: usual ? path : 9, path };
      history.push(seen);
      const counts = count(seen);
      const truth = encountersOf(history, seen);
      counts.forEach((value, i) => {
        expect(value).toBeLessThanOrEqual(truth[i] as number);
      });
      if (usual) expect([n, ...counts]).toEqual([n, ...truth]);
    }
  });

  it('stop at the largest count', () => {
    const count = counter();
    let last: number[] = [];
    for (let n = 0; n < 70_000; n++) last = count({ atMs: START_MS, method: 1, agent: 1, route: 1, path: 1 });
    expect(new Set(last)).toEqual(new Set([65_535]));
  });
});
