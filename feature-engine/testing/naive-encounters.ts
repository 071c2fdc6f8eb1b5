// Encounter counts from the full list of requests, without bounded sets.
// The oracle of encounters.test.ts and of the whole engine's test; nothing else calls it.

import { WINDOW_MS } from '../windows.ts';

const KINDS = ['method', 'agent', 'route', 'path'] as const;
export type Seen = Record<(typeof KINDS)[number], number> & { readonly atMs: number };

/** The 12 counts of the last item of `history`. */
export function encountersOf(history: readonly Seen[], now: Seen): number[] {
  return KINDS.flatMap((kind) =>
    WINDOW_MS.slice(2).map((length) => {
      if (kind === 'agent' && now.agent === 0) return Number.NaN;
      const start = now.atMs - (now.atMs % length);
      const same = history.filter((seen) => seen[kind] === now[kind]);
      const current = same.filter((seen) => seen.atMs >= start).length;
      const previous = same.filter((seen) => seen.atMs >= start - length && seen.atMs < start).length;
      return Math.fround(current + (1 - (now.atMs - start) / length) * previous);
    }),
  );
}
