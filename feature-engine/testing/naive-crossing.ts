// What crosses identities, from the full list of answers: shares counted, distinct ones by the definition of the sketch.
// The oracle of crossing.test.ts and of the whole engine's test; nothing else calls it.

import { mix32 } from '../sketch.ts';

const HOUR = 3_600_000;
const MIN5 = 300_000;

/** Whom a request belongs to: 32-bit hashes, 0 where unknown. */
export interface Asked {
  readonly address: number;
  readonly subnet: number;
  readonly asn: number;
  readonly agentRoute: number;
  readonly credential: number;
  readonly login: number;
  readonly route: number;
}

export interface Answered extends Asked {
  readonly atMs: number;
  readonly status: number;
}

function slices<T extends { readonly atMs: number }>(items: readonly T[], length: number, nowMs: number) {
  const start = nowMs - (nowMs % length);
  return {
    current: items.filter((item) => item.atMs >= start),
    previous: items.filter((item) => item.atMs >= start - length && item.atMs < start),
    overlap: 1 - (nowMs - start) / length,
  };
}

function distinct(items: readonly Answered[], hash: (item: Answered) => number, nowMs: number): number {
  const { current, previous, overlap } = slices(items, HOUR, nowMs);
  const estimate = (list: readonly Answered[]) => {
    const set = new Set(
      list
        .map(hash)
        .filter((h) => h !== 0)
        .map((h) => (h >>> 0) % 64),
    ).size;
    return 64 * Math.log(64 / Math.max(64 - set, 0.5));
  };
  return estimate(current) + overlap * (estimate([...current, ...previous]) - estimate(current));
}

/** The five older features of a unit, then the three later ones. */
function unit(items: readonly Answered[], nowMs: number): number[] {
  const { current, previous, overlap } = slices(items, HOUR, nowMs);
  const count = (keep: (item: Answered) => boolean) =>
    current.filter(keep).length + overlap * previous.filter(keep).length;
  const answers = count(() => true);
  if (answers === 0) return new Array(8).fill(Number.NaN);
  const share = (keep: (status: number) => boolean) => count((item) => keep(item.status)) / answers;
  const named = [401, 403, 429, 404];
  return [
    distinct(items, (item) => item.credential, nowMs),
    distinct(items, (item) => item.login, nowMs),
    ...[401, 403, 429].map((status) => share((s) => s === status)),
    answers,
    share((s) => s === 404),
    share((s) => s >= 400 && s < 500 && !named.includes(s)),
  ];
}

function failureRatio(items: readonly Answered[], nowMs: number): number {
  const refused = (list: readonly Answered[]) =>
    list.filter((i) => i.status === 401 || i.status === 403).length;
  const bySlice = Map.groupBy(items, (item) => Math.floor(item.atMs / MIN5));
  let habit = 0;
  let learned = 0;
  for (const [slice, list] of bySlice) {
    if (slice >= Math.floor(nowMs / MIN5)) continue;
    const weight = Math.max(1 / ++learned, 1 / 16);
    const share = refused(list) / list.length;
    habit += (Math.min(share, learned >= 16 ? 4 * habit + 0.05 : 1) - habit) * weight;
  }
  if (learned === 0) return Number.NaN;
  const { current, previous, overlap } = slices(items, MIN5, nowMs);
  const expected = habit * (current.length + overlap * previous.length);
  return Math.log2((refused(current) + overlap * refused(previous) + 1) / (expected + 1));
}

/** The features of a call as known before it, in the order of domain/features-crossing.ts. */
export function crossingOf(history: readonly Answered[], call: Asked, nowMs: number): number[] {
  const keys = ['address', 'subnet', 'asn', 'agentRoute'] as const;
  const units = keys.map((key) =>
    unit(call[key] === 0 ? [] : history.filter((item) => item[key] === call[key]), nowMs),
  );
  const same = history.filter((item) => item.login === call.login);
  const route = history.filter((item) => item.route === call.route && item.login !== 0);
  const { current, previous, overlap } = slices(same, HOUR, nowMs);
  const refused = (list: readonly Answered[]) => list.filter((i) => [401, 403].includes(i.status)).length;
  const none = call.login === 0;
  return [
    ...units.flatMap((features) => features.slice(0, 5)),
    none ? Number.NaN : distinct(same, (item) => mix32(item.address), nowMs),
    none ? Number.NaN : failureRatio(route, nowMs),
    ...units.flatMap((features) => features.slice(5)),
    none ? Number.NaN : refused(current) + overlap * refused(previous),
  ].map(Math.fround);
}
