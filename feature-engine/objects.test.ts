// Object features against the full list of requests: exact for shares and steps, by the same sketch for distinct counts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OBJECT_FEATURES } from '../domain/features-objects.ts';
import { HeadView } from '../domain/head-view.ts';
import { seededRandom } from '../domain/random.ts';
import { newBlock } from './block.ts';
import { ObjectId } from './object-id.ts';
import { LastUsers, SeenPairs } from './object-memory.ts';
import { OBJECT_FEATURES_COUNT, OBJECT_WORDS, Objects, objectAnswered } from './objects.ts';
import { hashBytes, mix32 } from './sketch.ts';
import { outOfRange } from './testing/ranges.ts';
import { Moment } from './windows.ts';

const START_MS = 1_700_000_000_000;
const MIN5 = 300_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

interface Asked {
  readonly atMs: number;
  readonly who: number;
  readonly route: number;
  readonly target: string;
  readonly id: string;
  fresh?: boolean;
  foreign?: boolean;
  newPath?: boolean;
  step?: number;
  status?: { readonly code: number; readonly atMs: number };
}

const hashText = (text: string) => hashBytes(new TextEncoder().encode(text), 0, text.length, 0);
const objectHash = (route: number, id: string) => mix32(route ^ Math.imul(hashText(id) || 1, 0x85ebca6b));

function slices<T>(items: readonly T[], length: number, nowMs: number, time: (item: T) => number) {
  const start = nowMs - (nowMs % length);
  return {
    current: items.filter((item) => time(item) >= start),
    previous: items.filter((item) => time(item) >= start - length && time(item) < start),
    overlap: 1 - (nowMs - start) / length,
  };
}

function windowed(items: readonly Asked[], nowMs: number, keep: (asked: Asked) => boolean): number {
  const { current, previous, overlap } = slices(items, HOUR, nowMs, (asked) => asked.atMs);
  return current.filter(keep).length + overlap * previous.filter(keep).length;
}

function distinct(
  hashes: readonly (readonly [number, number])[],
  bits: number,
  length: number,
  nowMs: number,
) {
  const { current, previous, overlap } = slices(hashes, length, nowMs, ([atMs]) => atMs);
  const estimate = (list: readonly (readonly [number, number])[]) => {
    const set = new Set(list.map(([, hash]) => (hash >>> 0) % bits)).size;
    return bits * Math.log(bits / Math.max(bits - set, 0.5));
  };
  const now = estimate(current);
  return now + overlap * (estimate([...current, ...previous]) - now);
}

/** Fills what the request is in the light of all before it, appends it, and gives the ten features. */
function naive(history: Asked[], asked: Asked): number[] {
  const { atMs, who, route, id } = asked;
  const mine = history.filter((old) => old.who === who);
  const today = (old: Asked) => Math.floor(atMs / DAY) - Math.floor(old.atMs / DAY) <= 1;
  const path = (old: Asked) => old.target.split('?')[0];
  asked.newPath = !mine.some((old) => today(old) && path(old) === path(asked));
  if (id !== '') {
    const same = (old: Asked) => old.route === route && old.id === id;
    asked.fresh = !mine.some((old) => today(old) && same(old));
    const last = history.findLast(same);
    asked.foreign = last !== undefined && last.who !== who;
    const before = mine.findLast((old) => old.route === route && /^\d+$/.test(old.id));
    if (/^\d+$/.test(id) && before !== undefined) asked.step = Math.abs(Number(id) - Number(before.id));
  }
  history.push(asked);
  mine.push(asked);
  const byPath = windowed(mine, atMs, (old) => old.newPath === true) / windowed(mine, atMs, () => true);
  return [
    ...(id === '' ? new Array(8).fill(Number.NaN) : ofRoute(mine, asked)),
    ofQuery(mine, asked),
    byPath,
  ];
}

function ofRoute(mine: readonly Asked[], { atMs, route }: Asked): number[] {
  const ids = mine.filter((old) => old.route === route && old.id !== '');
  const hashes = ids.map((old) => [old.atMs, objectHash(route, old.id)] as const);
  const share = (of: (old: Asked) => boolean, among: (old: Asked) => boolean = () => true) =>
    windowed(ids, atMs, of) / windowed(ids, atMs, among);
  const steps = ids.flatMap((old) => (old.step === undefined ? [] : [old.step])).slice(-9);
  const answers = ids.flatMap((old) => (old.status === undefined ? [] : [old.status]));
  const answered = (codes: readonly number[]) => {
    const { current, previous, overlap } = slices(answers, HOUR, atMs, (answer) => answer.atMs);
    const hit = (list: typeof answers) => list.filter((a) => codes.length === 0 || codes.includes(a.code));
    return hit(current).length + overlap * hit(previous).length;
  };
  return [
    distinct(hashes, 64, MIN5, atMs),
    distinct(hashes, 128, HOUR, atMs),
    distinct(hashes, 256, DAY, atMs),
    share((old) => old.fresh === true),
    share((old) => old.foreign === true),
    share(
      (old) => old.step === 1,
      (old) => old.step !== undefined,
    ),
    steps.sort((a, b) => a - b)[(steps.length - 1) >> 1] ?? Number.NaN,
    answered([403, 404]) / answered([]),
  ];
}

function ofQuery(mine: readonly Asked[], asked: Asked): number {
  const params = (old: Asked) => new URLSearchParams(old.target.split('?')[1] ?? '');
  const counts = [...params(asked).keys()].map((key) =>
    distinct(
      mine.flatMap((old) =>
        params(old)
          .getAll(key)
          .map((value) => [old.atMs, hashText(value)] as const),
      ),
      64,
      HOUR,
      asked.atMs,
    ),
  );
  return counts.length === 0 ? Number.NaN : Math.max(...counts);
}

function workload() {
  const objects = new Objects();
  const blocks = Array.from({ length: 4 }, () => newBlock(OBJECT_WORDS));
  const moment = new Moment();
  const id = new ObjectId();
  const head = new HeadView();
  const out = new Float64Array(OBJECT_FEATURES_COUNT);
  return {
    ask(asked: Asked): number[] {
      head.begin('GET', asked.target);
      id.read(head, 0);
      moment.set(asked.atMs);
      const path = hashText(asked.target.split('?')[0] as string);
      const call = { id, route: asked.route, path, who: asked.who, moment };
      objects.observe(blocks[asked.who] as ReturnType<typeof newBlock>, call, out, 0);
      expect(outOfRange(OBJECT_FEATURES, out)).toEqual([]);
      return [...out];
    },
    answer(asked: Asked, code: number, atMs: number): void {
      asked.status = { code, atMs };
      moment.set(atMs);
      objectAnswered(blocks[asked.who] as ReturnType<typeof newBlock>, asked.route, code, moment);
    },
  };
}

const UUIDS = ['0', '1'].map((n) => `${n.repeat(8)}-0000-4000-8000-${n.repeat(12)}`);

describe('objects', () => {
  it('equal the full list', () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const { ask, answer } = workload();
      const history: Asked[] = [];
      let atMs = START_MS;
      for (let n = 0; n < 120; n++) {
        atMs += Math.floor(10 ** (random.next() * 7.2) - 1);
        const kind = random.int(4);
        const id = ['', `${random.int(12)}`, UUIDS[random.int(2)] as string, `${40 + n}`][kind] as string;
        const query = ['', '?page=1', `?page=${random.int(5)}&q=x${n}`, '?a'][random.int(4)] as string;
        const target = `/r${kind}${id === '' ? '' : `/${id}`}${query}`;
        const asked: Asked = { atMs, who: 1 + random.int(3), route: 77 + kind, target, id };
        const wanted = naive(history, asked).map(Math.fround);
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

describe('ObjectId', () => {
  it.each([
    ['/order/17', 17],
    ['/order/17/lines', 17],
    ['/shop/3/order/17', 17],
    ['/order/007', 7],
    ['/order/9999999999999999', Number.NaN],
    [`/profile/${UUIDS[1]}`, Number.NaN],
  ])('finds the id of %s', (target, number) => {
    const head = new HeadView();
    head.begin('GET', `${target}?x=5`);
    const id = new ObjectId();
    id.read(head, 0);
    expect(id.hash).not.toBe(0);
    expect(id.number).toBe(number);
    expect(id.paramCount).toBe(1);
  });

  it.each(['/', '/order', '//', '/order/?id=17', '*'])('finds none in %s', (target) => {
    const head = new HeadView();
    head.begin('GET', target);
    const id = new ObjectId();
    id.read(head, 0);
    expect(id.hash).toBe(0);
  });

  it('reads at most eight parameters, whatever the query', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (query) => {
        const head = new HeadView();
        head.begin('GET', `/?${query}`);
        const id = new ObjectId();
        id.read(head, 0);
        const parts = query.split('&').filter((part) => part !== '');
        expect(id.paramCount).toBe(Math.min(parts.length, 8));
      }),
    );
  });
});

describe('object memory', () => {
  it('takes few new pairs for seen ones, and forgets none', () => {
    const pairs = new SeenPairs(2 ** 18);
    let wrong = 0;
    for (let n = 0; n < 25_000; n++) if (pairs.seenBefore(mix32(n), mix32(n + 7), 9)) wrong++;
    for (let n = 0; n < 25_000; n++) expect(pairs.seenBefore(mix32(n), mix32(n + 7), 10)).toBe(true);
    expect(wrong / 25_000).toBeLessThan(0.03);
    expect(pairs.seenBefore(mix32(5), mix32(12), 12)).toBe(false);
  });

  it('knows the last user until another object takes the place', () => {
    const users = new LastUsers(1);
    expect([users.byAnother(5, 1), users.byAnother(5, 1), users.byAnother(5, 2)]).toEqual([
      false,
      false,
      true,
    ]);
    expect([users.byAnother(6, 1), users.byAnother(5, 1)]).toEqual([false, false]);
    expect(() => new LastUsers(3)).toThrow(RangeError);
  });
});
