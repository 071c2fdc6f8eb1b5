// Object features against the full list of requests: exact for shares and steps, by the same sketch for distinct counts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OBJECT_FEATURES } from '../../domain/features-objects.ts';
import { seededRandom } from '../../domain/random.ts';
import { mix32 } from '../sketch.ts';
import { KernelCall } from '../testing/kernel-call.ts';
import { type Asked, hashText, objectsOf } from '../testing/naive-objects.ts';
import { outOfRange } from '../testing/ranges.ts';
import { EngineMemory } from './memory.ts';
import {
  configureObjects,
  OBJECT_FEATURES_COUNT,
  OBJECT_WORDS,
  objectSizes,
  objectTableBytes,
} from './object-kernels.ts';

const START_MS = 1_700_000_000_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

function paramsOf(target: string): [number, number][] {
  const query = target.split('?')[1];
  const parts = query === undefined ? [] : query.split('&').map((part) => part.split('='));
  return parts.map(([key = '', value = '']) => [hashText(key), hashText(value)]);
}

function workload(variant: 'release' | 'debug' = 'release') {
  const sizes = objectSizes(25_000);
  const memory = new EngineMemory(objectTableBytes(sizes) + 5 * OBJECT_WORDS * 4 + 256, variant);
  configureObjects(memory, 0, sizes);
  const blocks = Array.from({ length: 4 }, () => memory.take(OBJECT_WORDS * 4));
  const out = memory.take(OBJECT_FEATURES_COUNT * 8);
  const call = new KernelCall(memory);
  const { kernels } = memory;
  return {
    kernels,
    call,
    ask(asked: Asked): number[] {
      call.moveTo(asked.atMs);
      const path = hashText(asked.target.split('?')[0] as string);
      call.set({ route: asked.route, path, principal: asked.who });
      call.set({ object: asked.id === '' ? 0 : hashText(asked.id) || 1 });
      call.setDoubles({ objectNumber: /^\d+$/.test(asked.id) ? Number(asked.id) : Number.NaN });
      call.setParams(paramsOf(asked.target));
      kernels.observeObjects(blocks[asked.who] as number, out);
      const written = [...memory.doubles.subarray(out / 8, out / 8 + OBJECT_FEATURES_COUNT)];
      expect(outOfRange(OBJECT_FEATURES, written)).toEqual([]);
      return written;
    },
    answer(asked: Asked, code: number, atMs: number): void {
      asked.status = { code, atMs };
      call.moveTo(atMs);
      call.set({ route: asked.route, object: asked.id === '' ? 0 : 1, status: code });
      kernels.objectsAnswered(blocks[asked.who] as number);
    },
  };
}

const UUIDS = ['0', '1'].map((n) => `${n.repeat(8)}-0000-4000-8000-${n.repeat(12)}`);

describe('objects', () => {
  it('equal the full list', () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const { ask, answer } = workload(seed % 2 === 0 ? 'release' : 'debug');
      const history: Asked[] = [];
      let atMs = START_MS;
      for (let n = 0; n < 120; n++) {
        atMs += Math.floor(10 ** (random.next() * 7.2) - 1);
        const kind = random.int(4);
        const id = ['', `${random.int(12)}`, UUIDS[random.int(2)] as string, `${40 + n}`][kind] as string;
        const query = ['', '?page=1', `?page=${random.int(5)}&q=x${n}`, '?a'][random.int(4)] as string;
        const target = `/r${kind}${id === '' ? '' : `/${id}`}${query}`;
        const asked: Asked = { atMs, who: 1 + random.int(3), route: 77 + kind, target, id };
        const wanted = objectsOf(history, asked).map(Math.fround);
        expect([seed, n, target, ...ask(asked)]).toEqual([seed, n, target, ...wanted]);
        if (id !== '' && random.next() < 0.7)
          answer(asked, [200, 403, 404, 500][random.int(4)] as number, ++atMs);
      }
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), run), { numRuns: 40 });
  });

  it('keep the busiest routes when there are more than four', () => {
    const { ask } = workload();
    let last: number[] = [];
    for (let n = 0; n < 300; n++) {
      const usual = n < 12 || n % 3 === 0;
      const route = usual ? 1 + (n % 3) : 1000 + n;
      last = ask({ atMs: START_MS + n * 10, who: 1, route, target: `/x/${usual ? n : 5}`, id: `${n}` });
      if (usual && n > 12) expect(last[1]).toBeGreaterThan(4);
    }
  });
});

describe('object memory', () => {
  it('takes few new pairs for seen ones, and forgets none', () => {
    const { kernels, call } = workload();
    let wrong = 0;
    call.moveTo(9 * DAY);
    for (let n = 0; n < 25_000; n++) if (kernels.pairSeen(mix32(n), mix32(n + 7)) !== 0) wrong++;
    call.moveTo(10 * DAY);
    for (let n = 0; n < 25_000; n++) expect(kernels.pairSeen(mix32(n), mix32(n + 7))).toBe(1);
    expect(wrong / 25_000).toBeLessThan(0.001);
    call.moveTo(12 * DAY);
    expect(kernels.pairSeen(mix32(5), mix32(12))).toBe(0);
  });

  it('mistakes as many new pairs as it says, at 200,000 of them', () => {
    const { kernels, call } = workload();
    call.moveTo(9 * DAY);
    for (let n = 0; n < 200_000; n++) {
      kernels.pairSeen(mix32(n), mix32(n + 7));
      kernels.pathSeen(mix32(n), mix32(n + 7));
    }
    const share = (seen: (a: number, b: number) => number) => {
      let wrong = 0;
      for (let n = 0; n < 2000; n++) wrong += seen(mix32(n + 1_000_000), mix32(n));
      return wrong / 2000;
    };
    expect(share(kernels.pairSeen)).toBeLessThan(0.03);
    expect(share(kernels.pathSeen)).toBeLessThan(0.09);
  });

  it('forgets the paths of an hour with it', () => {
    const { kernels, call } = workload();
    call.moveTo(START_MS);
    expect([kernels.pathSeen(1, 2), kernels.pathSeen(1, 2), kernels.pathSeen(2, 2)]).toEqual([0, 1, 0]);
    call.moveTo(START_MS + HOUR);
    expect(kernels.pathSeen(1, 2)).toBe(0);
  });

  it('knows the last user until another object takes the place', () => {
    const memory = new EngineMemory(65_536);
    configureObjects(memory, 0, { pairBlocks: 1, pathBlocks: 1, userPlaces: 1 });
    const byAnother = (object: number, user: number) => memory.kernels.usedByAnother(object, user) !== 0;
    expect([byAnother(5, 1), byAnother(5, 1), byAnother(5, 2)]).toEqual([false, false, true]);
    expect([byAnother(6, 1), byAnother(5, 1)]).toEqual([false, false]);
    const sizes = { pairBlocks: 1, pathBlocks: 1, userPlaces: 3 };
    expect(() => configureObjects(memory, 0, sizes)).toThrow(RangeError);
  });
});

it('keeps its shares when more requests come than a counter holds', () => {
  const { ask, answer } = workload();
  const share = OBJECT_FEATURES.findIndex(({ name }) => name === 'object_refused_share_1h');
  const ones = OBJECT_FEATURES.findIndex(({ name }) => name === 'object_step_one_share_1h');
  let last: number[] = [];
  for (let n = 0; n < 200_000; n++) {
    const id = `${n % 4 === 0 ? n + 7 : n}`;
    const asked: Asked = { atMs: START_MS + n, who: 1, route: 7, target: '/x', id };
    last = ask(asked);
    answer(asked, n % 10 === 0 ? 404 : 200, START_MS + n);
  }
  expect(last[share]).toBeCloseTo(0.1, 2);
  expect(last[ones]).toBeCloseTo(0.5, 2);
  expect(last[10]).toBeLessThan(0.001);
});
