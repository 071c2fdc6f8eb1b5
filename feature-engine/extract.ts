// Reads two rows and the request head into the feature vector, in the order of domain/features.ts, rounded to f32.
// The order below IS that order: extract.test.ts checks every place by name. Called once per request by the engine.

import { FEATURE_COUNT, placeOf } from '../domain/features.ts';
import type { HeadView } from '../domain/head-view.ts';
import * as L from './row-layout.ts';
import type { RowPlace } from './row-update.ts';
import { distinct32, distinct64 } from './sketch.ts';
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

/** What one row says: 26 places from `place`. `gapMs` is NaN for a first request. */
export function writeRow(out: Float64Array, place: number, row: RowPlace, moment: Moment): void {
  const { words, doubles, at } = row;
  const half = at >> 1;
  const overlap5m = moment.overlaps[W5M]!;
  const overlap1h = moment.overlaps[W1H]!;
  const requests = pair(words, at + L.REQUESTS_5M, overlap5m);
  const answers = pair(words, at + L.ANSWERS_5M, overlap5m);
  const deletes = pair(words, at + L.DELETE_5M, overlap5m);
  let i = place;
  out[i++] = fround(pair(words, at + L.REQUESTS_10S, moment.overlaps[W10S]!));
  out[i++] = fround(pair(words, at + L.REQUESTS_1M, moment.overlaps[W1M]!));
  out[i++] = fround(requests);
  out[i++] = fround(pair(words, at + L.REQUESTS_1H, overlap1h));
  out[i++] = fround(doublePair(doubles, half + L.F_BYTES_IN_5M, overlap5m));
  out[i++] = fround(doublePair(doubles, half + L.F_BYTES_OUT_5M, overlap5m));
  out[i++] = fround(pair(words, at + L.POST_5M, overlap5m) / requests);
  out[i++] = fround(pair(words, at + L.PUT_5M, overlap5m) / requests);
  out[i++] = fround(deletes / requests);
  out[i++] = fround(deletes);
  out[i++] = answers === 0 ? Number.NaN : fround(pair(words, at + L.CLIENT_ERRORS_5M, overlap5m) / answers);
  out[i++] = answers === 0 ? Number.NaN : fround(pair(words, at + L.SERVER_ERRORS_5M, overlap5m) / answers);
  out[i++] = fround(pair(words, at + L.STATUS_401_5M, overlap5m));
  out[i++] = fround(pair(words, at + L.STATUS_403_5M, overlap5m));
  out[i++] = fround(pair(words, at + L.STATUS_404_5M, overlap5m));
  out[i++] = fround(pair(words, at + L.STATUS_429_5M, overlap5m));
  out[i++] = fround(distinct64(words, at + L.ROUTES_5M, overlap5m));
  out[i++] = fround(distinct64(words, at + L.ROUTES_1H, overlap1h));
  out[i++] = fround(distinct64(words, at + L.PATHS_5M, overlap5m));
  out[i++] = fround(distinct32(words[at + L.AGENTS_5M]!, words[at + L.AGENTS_5M + 1]!, overlap5m));
  out[i] = fround(distinct32(words[at + L.AGENTS_1H]!, words[at + L.AGENTS_1H + 1]!, overlap1h));
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

/** How many there are on the other axis: 4 places from LINK_PLACE. */
export function writeLink(out: Float64Array, identity: RowPlace, address: RowPlace, moment: Moment): void {
  out[LINK_PLACE] = fround(others(identity, L.OTHERS_5M, moment.overlaps[W5M]!));
  out[LINK_PLACE + 1] = fround(others(identity, L.OTHERS_1H, moment.overlaps[W1H]!));
  out[LINK_PLACE + 2] = fround(others(address, L.OTHERS_5M, moment.overlaps[W5M]!));
  out[LINK_PLACE + 3] = fround(others(address, L.OTHERS_1H, moment.overlaps[W1H]!));
}

function others(row: RowPlace, word: number, overlap: number): number {
  return distinct32(row.words[row.at + word]!, row.words[row.at + word + 1]!, overlap);
}

function pair(words: Uint32Array, word: number, overlap: number): number {
  return words[word]! + overlap * words[word + 1]!;
}

function doublePair(doubles: Float64Array, place: number, overlap: number): number {
  return doubles[place]! + overlap * doubles[place + 1]!;
}
