// Reads two rows and the request head into the feature vector, in the order of domain/features.ts, rounded to f32.
// The order below IS that order: extract.test.ts checks every place by name. Called once per request by the engine.

import { FEATURE_COUNT, placeOf } from '../domain/features.ts';
import type { HeadView } from '../domain/head-view.ts';
import * as L from './row-layout-before.ts';
import type { RowPlace } from './row-update.ts';
import { ESTIMATE, estimateTwo, sketchKind } from './sketch.ts';
import type { TargetScan } from './target-scan.ts';
import { type Moment, W1H, W1M, W5M, W10S } from './windows.ts';

const fround = Math.fround;

export const REQUEST_PLACE = placeOf('method_get');
export const IDENTITY_PLACE = placeOf('identity_requests_10s');
export const ADDRESS_PLACE = placeOf('address_requests_10s');
export const LINK_PLACE = placeOf('identity_addresses_5m');
export const STATE_PLACE = placeOf('state_age_s');
/** Flags of LINK, written by the engine while it marks. */
export const ADDRESS_NEW_PLACE = placeOf('address_new');
export const USER_AGENT_NEW_PLACE = placeOf('user_agent_new');
export const ROUTE_NEW_PLACE = placeOf('route_new');
export const VECTOR_LENGTH = FEATURE_COUNT;

const GET_LIKE_END = 3;
const POST = 3;
const PUT = 4;
const PATCH = 5;
const DELETE = 6;

/** Request shape: 16 places from REQUEST_PLACE. */
export function writeRequest(out: Float64Array, head: HeadView, scan: TargetScan, credential: boolean): void {
  const { method } = head;
  const targetBytes = head.targetEnd - head.targetStart;
  const agent = head.userAgentField;
  let i = REQUEST_PLACE;
  out[i++] = method < GET_LIKE_END ? 1 : 0;
  out[i++] = method === POST ? 1 : 0;
  out[i++] = method === PUT || method === PATCH ? 1 : 0;
  out[i++] = method === DELETE ? 1 : 0;
  out[i++] = head.pathEnd - head.targetStart;
  out[i++] = scan.segments;
  out[i++] = Math.max(head.targetEnd - head.pathEnd - 1, 0);
  out[i++] = scan.queryParams;
  out[i++] = head.fieldCount;
  out[i++] = head.fieldBytes;
  out[i++] = fround(head.contentLength);
  out[i++] = targetBytes === 0 ? 0 : fround(scan.encodedBytes / targetBytes);
  out[i++] = scan.oddBytes;
  out[i++] = scan.rewritten ? 1 : 0;
  out[i++] = credential ? 1 : 0;
  out[i] = agent < 0 ? Number.NaN : head.valueEnd(agent) - head.valueStart(agent);
}

const ROW_COUNTS_5M = (L.COUNTERS_5M_END - L.COUNTERS_5M) / 2;
/** Windowed counts of the 5-minute counters of the row at hand, by the order of their words. */
const counts = new Float64Array(ROW_COUNTS_5M);
const indexOf = (word: number) => (word - L.COUNTERS_5M) / 2;
const REQUESTS = indexOf(L.REQUESTS_5M);
const POSTS = indexOf(L.POST_5M);
const PUTS = indexOf(L.PUT_5M);
const DELETES = indexOf(L.DELETE_5M);
const ANSWERS = indexOf(L.ANSWERS_5M);
const CLIENT_ERRORS = indexOf(L.CLIENT_ERRORS_5M);
const SERVER_ERRORS = indexOf(L.SERVER_ERRORS_5M);
const STATUSES = [L.STATUS_401_5M, L.STATUS_403_5M, L.STATUS_404_5M, L.STATUS_429_5M].map(indexOf);
const ROW_SKETCHES = [
  [L.ROUTES_5M, sketchKind(2, W5M)],
  [L.ROUTES_1H, sketchKind(2, W1H)],
  [L.PATHS_5M, sketchKind(2, W5M)],
  [L.AGENTS_5M, sketchKind(1, W5M)],
  [L.AGENTS_1H, sketchKind(1, W1H)],
] as const;
const SKETCH_WORDS = Uint8Array.from(ROW_SKETCHES, ([word]) => word);
const SKETCH_KINDS = Uint8Array.from(ROW_SKETCHES, ([, kind]) => kind);
const ROW_SKETCH = 16;

/** What one row says: 26 places from `place`. Loops over tables instead of calls, which would return heap numbers. */
export function writeRow(out: Float64Array, place: number, row: RowPlace, moment: Moment): void {
  const { words, doubles, at } = row;
  const { overlaps } = moment;
  const overlap5m = overlaps[W5M]!;
  for (let k = 0, word = at + L.COUNTERS_5M; k < ROW_COUNTS_5M; k++, word += 2)
    counts[k] = words[word]! + overlap5m * words[word + 1]!;
  const requests = counts[REQUESTS]!;
  const answers = counts[ANSWERS]!;
  const bytes = (at >> 1) + L.F_BYTES_IN_5M;
  let i = place;
  out[i++] = fround(words[at + L.REQUESTS_10S]! + overlaps[W10S]! * words[at + L.REQUESTS_10S + 1]!);
  out[i++] = fround(words[at + L.REQUESTS_1M]! + overlaps[W1M]! * words[at + L.REQUESTS_1M + 1]!);
  out[i++] = fround(requests);
  out[i++] = fround(words[at + L.REQUESTS_1H]! + overlaps[W1H]! * words[at + L.REQUESTS_1H + 1]!);
  out[i++] = fround(doubles[bytes]! + overlap5m * doubles[bytes + 1]!);
  out[i++] = fround(doubles[bytes + 2]! + overlap5m * doubles[bytes + 3]!);
  out[i++] = fround(counts[POSTS]! / requests);
  out[i++] = fround(counts[PUTS]! / requests);
  out[i++] = fround(counts[DELETES]! / requests);
  out[i++] = fround(counts[DELETES]!);
  out[i++] = answers === 0 ? Number.NaN : fround(counts[CLIENT_ERRORS]! / answers);
  out[i++] = answers === 0 ? Number.NaN : fround(counts[SERVER_ERRORS]! / answers);
  for (let k = 0; k < 4; k++) out[i++] = fround(counts[STATUSES[k]!]!);
  for (let k = 0; k < SKETCH_WORDS.length; k++) {
    estimateTwo(words, at + SKETCH_WORDS[k]!, SKETCH_KINDS[k]!, overlaps);
    out[place + ROW_SKETCH + k] = fround(ESTIMATE[0]!);
  }
}

const ROW_GAP = 21;

/** Gaps, age and total: the 5 places after those of writeRow. `gapMs` is NaN for a first request. */
export function writeRowHistory(
  out: Float64Array,
  place: number,
  row: RowPlace,
  now: { readonly nowMs: number; readonly gapMs: number },
): void {
  const { words, doubles, at } = row;
  const half = at >> 1;
  const total = words[at + L.TOTAL]!;
  const mean = doubles[half + L.F_GAP_MEAN]!;
  let i = place + ROW_GAP;
  out[i++] = fround(now.gapMs);
  out[i++] = total < 2 ? Number.NaN : fround(mean);
  out[i++] = total < 3 ? Number.NaN : mean === 0 ? 0 : fround(doubles[half + L.F_GAP_DEVIATION]! / mean);
  out[i++] = fround((now.nowMs - doubles[half + L.F_CREATED]!) / 1000);
  out[i] = fround(total);
}

const OTHERS_5M_KIND = sketchKind(1, W5M);
const OTHERS_1H_KIND = sketchKind(1, W1H);

/** How many there are on the other axis: 4 places from LINK_PLACE. */
export function writeLink(out: Float64Array, identity: RowPlace, address: RowPlace, moment: Moment): void {
  const { overlaps } = moment;
  estimateTwo(identity.words, identity.at + L.OTHERS_5M, OTHERS_5M_KIND, overlaps);
  out[LINK_PLACE] = fround(ESTIMATE[0]!);
  estimateTwo(identity.words, identity.at + L.OTHERS_1H, OTHERS_1H_KIND, overlaps);
  out[LINK_PLACE + 1] = fround(ESTIMATE[0]!);
  estimateTwo(address.words, address.at + L.OTHERS_5M, OTHERS_5M_KIND, overlaps);
  out[LINK_PLACE + 2] = fround(ESTIMATE[0]!);
  estimateTwo(address.words, address.at + L.OTHERS_1H, OTHERS_1H_KIND, overlaps);
  out[LINK_PLACE + 3] = fround(ESTIMATE[0]!);
}
