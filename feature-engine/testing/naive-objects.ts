// Objects from the full list of requests: shares and steps counted, distinct ids by the definition of the sketch.
// The oracle of objects.test.ts and of the whole engine's test; nothing else calls it.

import { hashBytes, mix32 } from '../sketch.ts';

const MIN5 = 300_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

export interface Asked {
  readonly atMs: number;
  readonly who: number;
  readonly route: number;
  readonly target: string;
  readonly id: string;
  fresh?: boolean;
  foreign?: boolean;
  newPath?: boolean;
  uniquePath?: boolean;
  step?: number;
  status?: { readonly code: number; readonly atMs: number };
}

export const hashText = (text: string) => hashBytes(new TextEncoder().encode(text), 0, text.length, 0);
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

/** Fills what the request is in the light of all before it, appends it, and gives the eleven features. */
export function objectsOf(history: Asked[], asked: Asked): number[] {
  const { atMs, who, route, id } = asked;
  const mine = history.filter((old) => old.who === who);
  const today = (old: Asked) => Math.floor(atMs / DAY) - Math.floor(old.atMs / DAY) <= 1;
  const path = (old: Asked) => old.target.split('?')[0];
  asked.newPath = !mine.some((old) => today(old) && path(old) === path(asked));
  const thisHour = (old: Asked) => Math.floor(old.atMs / HOUR) === Math.floor(atMs / HOUR);
  asked.uniquePath = !mine.some((old) => thisHour(old) && path(old) === path(asked));
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
  const share = (of: (old: Asked) => boolean) => windowed(mine, atMs, of) / windowed(mine, atMs, () => true);
  return [
    ...(id === '' ? new Array(8).fill(Number.NaN) : ofRoute(mine, asked)),
    ofQuery(mine, asked),
    share((old) => old.newPath === true),
    share((old) => old.uniquePath === true),
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
