// Travel from the full list of a principal's requests.
// The oracle of travel.test.ts and of the whole engine's test; nothing else calls it.

import type { AddressFacts } from '../address-facts.ts';
import { mix32 } from '../sketch.ts';
import { distanceKm } from '../travel.ts';

const MIN5 = 300_000;
export const DAY = 86_400_000;

export interface Seen extends AddressFacts {
  readonly atMs: number;
  readonly pair: number;
  turn?: boolean;
}

function fresh(history: readonly Seen[], now: Seen, of: (seen: Seen) => number): number {
  if (of(now) === 0 || history.length < 5) return Number.NaN;
  const bit = (value: number) => mix32(value) & 31;
  const known = history
    .slice(0, -1)
    .filter((seen) => Math.floor(now.atMs / DAY) - Math.floor(seen.atMs / DAY) <= 1 && of(seen) !== 0);
  return known.some((seen) => bit(of(seen)) === bit(of(now))) ? 0 : 1;
}

/** The 10 features of `now`, which is appended; the memory is older than a day. */
export function travelOf(history: Seen[], now: Seen): number[] {
  const last = history.findLast((seen) => !Number.isNaN(seen.latitude));
  const km =
    last === undefined ? Number.NaN : distanceKm(last.latitude, last.longitude, now.latitude, now.longitude);
  const speed = (km * 3_600_000) / Math.max(now.atMs - (last?.atMs ?? 0), 1000);
  const flag = Number.isNaN(km) ? Number.NaN : km > 100 && speed > 1000 ? 1 : 0;
  const before = history.findLast((seen) => seen.pair !== history.at(-1)?.pair);
  const changed = history.length > 0 && history.at(-1)?.pair !== now.pair;
  now.turn = changed && before?.pair === now.pair && now.atMs - before.atMs <= MIN5;
  history.push(now);
  const start = now.atMs - (now.atMs % MIN5);
  const turns = history.filter((seen) => seen.turn === true);
  const previous = turns.filter((seen) => seen.atMs < start && seen.atMs >= start - MIN5).length;
  return [
    now.latitude,
    now.longitude,
    now.kind === 1 ? 1 : 0,
    now.kind === 2 ? 1 : 0,
    km,
    speed,
    flag,
    turns.filter((seen) => seen.atMs >= start).length + (1 - (now.atMs - start) / MIN5) * previous,
    fresh(history, now, (seen) => seen.country),
    fresh(history, now, (seen) => seen.asn),
  ].map(Math.fround);
}
