// What is remembered of one identity or one client address: its row, field by field, for snapshots and for merging rows of
// several replicas. Portable: slices are aligned to the wall clock, keys are 128-bit hashes; only the place of the profile is
// this process's own. Where the fields lie: kernel/row-words.ts; row-layout.test.ts holds both together. Kernels do the work.

import * as W from './kernel/row-words.ts';
import { W1H, W1M, W5M, W24H, WINDOW_COUNT } from './windows.ts';

export * from './kernel/row-words.ts';

export const IDENTITY_ROW_BYTES = W.IDENTITY_ROW_WORDS * 4;
export const ADDRESS_ROW_BYTES = W.ADDRESS_ROW_WORDS * 4;

/**
 * How a field is read and how two replicas' fields become one, once both are rolled to the same moment:
 * - `key`: 4 words, equal.
 * - `total`: u32 that counts since the row was made: each replica's growth is added.
 * - `mark`: u32 hash of the last thing of its kind: that of the row with the later `last`.
 * - `local`: has a meaning in this process only: 0 in a snapshot, kept when a merged row comes back.
 * - `slice`: number of the 10 s slice to which the whole row was rolled (kernel `rollRow`): the later one, after rolling.
 * - `first`, `last`: f64, ms since the epoch: the smaller, the larger one.
 * - `gap`: f64, ms, exponential statistics: that of the row with the later `last`.
 * - `count32`, `bytes32`: u32 of the current slice at `word`, of the previous one at `previous`: added, stopping at 2^32 - 1.
 * - `count16`: one word, current slice in the low half, previous one in the high half: halves added, stopping at 65,535.
 * - `sketch`, `bloom`: `words` of the current slice at `word`, as many of the previous one at `previous`: OR.
 */
export type RowFieldKind =
  | 'key'
  | 'total'
  | 'mark'
  | 'local'
  | 'slice'
  | 'first'
  | 'last'
  | 'gap'
  | 'count32'
  | 'bytes32'
  | 'count16'
  | 'sketch'
  | 'bloom';

export interface RowField {
  readonly name: string;
  readonly kind: RowFieldKind;
  /** First word in the row, and words from there (of sliced fields: of one slice). */
  readonly word: number;
  readonly words: number;
  /** Where the previous slice lies; equal to `word` if it shares the word (count16), -1 for what has no slices. */
  readonly previous: number;
  /** Index into WINDOW_MS of the slices, -1 for what has none. */
  readonly window: number;
  /** Which rows have it. */
  readonly axis: 'both' | 'identity' | 'address';
}

/** Windows by index, as they stand in names. */
export const WINDOW_NAMES = ['10s', '1m', '5m', '1h', '24h'] as const;

/** Names of a window's counters in the order of their words: three u32 pairs, then twelve u16 pairs. */
export const WIDE_NAMES = ['requests', 'bytes_in', 'bytes_out'] as const;
export const PACKED_NAMES = [
  ...['get', 'post', 'put', 'delete'],
  ...['status_2xx', 'status_3xx', 'status_4xx', 'status_5xx'],
  ...['status_401', 'status_403', 'status_404', 'status_429'],
] as const;

function plain(name: string, kind: RowFieldKind, word: number, words: number): RowField {
  return { name, kind, word, words, previous: -1, window: -1, axis: 'both' };
}

function windowFields(window: number): RowField[] {
  const at = W.WINDOWS + window * W.WINDOW_WORDS;
  const named = (name: string) => `${name}_${WINDOW_NAMES[window] ?? ''}`;
  const wide = WIDE_NAMES.map((name, i): RowField => {
    const kind = i === 0 ? 'count32' : 'bytes32';
    const word = at + i;
    return { name: named(name), kind, word, words: 1, previous: word + W.WIDE_COUNT, window, axis: 'both' };
  });
  const packed = PACKED_NAMES.map((name, i): RowField => {
    const word = at + W.PACKED + i;
    return { name: named(name), kind: 'count16', word, words: 1, previous: word, window, axis: 'both' };
  });
  return [...wide, ...packed];
}

function sliced(name: string, word: number, words: number, window: number): RowField {
  return { name, kind: 'sketch', word, words, previous: word + words, window, axis: 'both' };
}

function seen(name: string, word: number, words: number, window: number): RowField {
  return { ...sliced(name, word, words, window), kind: 'bloom', axis: 'identity' };
}

/** Every field of a row, in the order of their words; they cover the rows of both axes without holes but one spare word. */
export const ROW_FIELDS: readonly RowField[] = [
  plain('key', 'key', W.KEY, 4),
  plain('total', 'total', W.TOTAL, 1),
  plain('last_route', 'mark', W.LAST_ROUTE, 1),
  plain('profile', 'local', W.PROFILE, 1),
  plain('slice', 'slice', W.SLICE, 1),
  plain('created', 'first', W.CREATED, 2),
  plain('last', 'last', W.LAST, 2),
  plain('gap_mean', 'gap', W.GAP_MEAN, 2),
  plain('gap_deviation', 'gap', W.GAP_DEVIATION, 2),
  ...Array.from({ length: WINDOW_COUNT }, (_, window) => windowFields(window)).flat(),
  sliced('routes_5m', W.ROUTES_5M, 2, W5M),
  sliced('paths_5m', W.PATHS_5M, 2, W5M),
  sliced('agents_5m', W.AGENTS_5M, 1, W5M),
  sliced('others_5m', W.OTHERS_5M, 1, W5M),
  sliced('routes_1h', W.ROUTES_1H, 2, W1H),
  sliced('agents_1h', W.AGENTS_1H, 1, W1H),
  sliced('others_1h', W.OTHERS_1H, 1, W1H),
  seen('seen_others_1h', W.SEEN_OTHERS_1H, W.SEEN_OTHERS_WORDS, W1H),
  seen('seen_agents_1h', W.SEEN_AGENTS_1H, W.SEEN_AGENTS_WORDS, W1H),
  seen('seen_routes_1h', W.SEEN_ROUTES_1H, W.SEEN_ROUTES_WORDS, W1H),
  seen('seen_others_24h', W.SEEN_OTHERS_24H, W.SEEN_OTHERS_WORDS, W24H),
  seen('seen_agents_24h', W.SEEN_AGENTS_24H, W.SEEN_AGENTS_WORDS, W24H),
  seen('seen_networks_24h', W.SEEN_NETWORKS_24H, W.SEEN_NETWORKS_WORDS, W24H),
  {
    ...{ name: 'made_1m', kind: 'count16', word: W.MADE_1M, words: 1 },
    ...{ previous: W.MADE_1M, window: W1M, axis: 'address' },
  },
];
