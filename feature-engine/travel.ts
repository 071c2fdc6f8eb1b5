// Where one identity comes from: how far and how fast it moved since its last located request, countries and networks that are
// new to it, and two address/agent pairs of one credential taking turns. The engine gives it the block of the identity and the
// facts of the address; it knows no databases.

import type { AddressFacts } from './address-facts.ts';
import { KIND_DATACENTER, KIND_PRIVATE, KIND_UNKNOWN } from './address-kind.ts';
import type { Block } from './block.ts';
import { putMissing } from './missing.ts';
import { mix32 } from './sketch.ts';
import { type Moment, W5M, W24H } from './windows.ts';

const EARTH_RADIUS_KM = 6371.0088;
/** Databases place an address within about 100 km; nearer jumps prove nothing. */
const IMPOSSIBLE_MIN_KM = 100;
/** Above what an airliner flies, door to door. */
const IMPOSSIBLE_KM_H = 1000;
/** Two requests are never taken to be nearer in time. */
const GAP_MIN_MS = 1000;
const TURN_MS = 300_000;
const NEW_MIN_CALLS = 5;
const DAY_MS = 86_400_000;

/*
 * Words of a block:
 *   0 time of the last located request, f64 ms (0: none)   2, 3 its latitude and longitude, f32   4 calls
 *   6, 8 times of this pair and the other one, f64 ms      10, 11 their hashes    12 slice and 13 counter of turns, 5 min
 *  14 day, 15 filter of countries, 16 of networks: 32 bits each for this day, 17, 18 the day before
 */
const LATITUDE = 2;
const CALLS = 4;
const PAIR_TIME = 6;
const OTHER_TIME = 8;
const PAIR = 10;
const OTHER = 11;
const TURN_SLICE = 12;
const TURNS = 13;
const DAY = 14;
const COUNTRIES = 15;
const NETWORKS = 16;
export const TRAVEL_WORDS = 20;

/** Places that observeTravel fills. */
export const TRAVEL_FEATURES_COUNT = 10;

export interface TravelCall {
  facts: AddressFacts;
  /** 32-bit hash of address and user agent, never 0. */
  pair: number;
  moment: Moment;
  /** How long the engine has been counting. */
  stateAgeMs: number;
}

/** Great-circle distance by the haversine formula on a sphere, km. */
export function distanceKm(fromLat: number, fromLon: number, toLat: number, toLon: number): number {
  const degree = Math.PI / 180;
  const sinLat = Math.sin(((toLat - fromLat) * degree) / 2);
  const sinLon = Math.sin(((toLon - fromLon) * degree) / 2);
  const h = sinLat * sinLat + Math.cos(fromLat * degree) * Math.cos(toLat * degree) * sinLon * sinLon;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Takes in the request and writes its 10 features from out[place]; order of domain/features-geo.ts. */
export function observeTravel(block: Block, call: TravelCall, out: Float64Array, place: number): void {
  const { facts } = call;
  writeAddress(facts, out, place);
  block.words[block.at + CALLS] = Math.min(block.words[block.at + CALLS]! + 1, NEW_MIN_CALLS);
  writeMove(block, call, out, place + 4);
  out[place + 7] = countTurns(block, call);
  rollDay(block, call.moment);
  const young = block.words[block.at + CALLS]! < NEW_MIN_CALLS || call.stateAgeMs < DAY_MS;
  const country = facts.country === 0 ? Number.NaN : isNew(block, COUNTRIES, facts.country);
  const network = facts.asn === 0 ? Number.NaN : isNew(block, NETWORKS, facts.asn);
  out[place + 8] = young ? Number.NaN : country;
  out[place + 9] = young ? Number.NaN : network;
}

/** What the address says without any history: 4 places. For identities that have no block yet. */
export function writeAddress(facts: AddressFacts, out: Float64Array, place: number): void {
  out[place] = facts.latitude;
  out[place + 1] = facts.longitude;
  const unknown = facts.kind === KIND_UNKNOWN;
  out[place + 2] = unknown ? Number.NaN : facts.kind === KIND_PRIVATE ? 1 : 0;
  out[place + 3] = unknown ? Number.NaN : facts.kind === KIND_DATACENTER ? 1 : 0;
}

/** Distance, speed and the flag since the last located request: 3 places. */
function writeMove(block: Block, { facts, moment }: TravelCall, out: Float64Array, place: number): void {
  const { floats, doubles, at } = block;
  const half = at >> 1;
  const lastMs = doubles[half]!;
  if (Number.isNaN(facts.latitude)) {
    putMissing(out, place, place + 3);
    return;
  }
  if (lastMs === 0) putMissing(out, place, place + 3);
  else {
    const same = floats[at + LATITUDE] === facts.latitude && floats[at + LATITUDE + 1] === facts.longitude;
    const km = same
      ? 0
      : distanceKm(floats[at + LATITUDE]!, floats[at + LATITUDE + 1]!, facts.latitude, facts.longitude);
    const speed = (km * 3_600_000) / Math.max(moment.nowMs - lastMs, GAP_MIN_MS);
    out[place] = Math.fround(km);
    out[place + 1] = Math.fround(speed);
    out[place + 2] = km > IMPOSSIBLE_MIN_KM && speed > IMPOSSIBLE_KM_H ? 1 : 0;
  }
  doubles[half] = moment.nowMs;
  floats[at + LATITUDE] = facts.latitude;
  floats[at + LATITUDE + 1] = facts.longitude;
}

/** Times in 5 minutes that the last two address/agent pairs took turns, each back within 5 minutes. */
function countTurns(block: Block, { pair, moment }: TravelCall): number {
  const { words, doubles, at } = block;
  const half = at >> 1;
  const behind = moment.slices[W5M]! - words[at + TURN_SLICE]!;
  if (behind > 0) {
    words[at + TURNS] = behind === 1 ? words[at + TURNS]! << 16 : 0;
    words[at + TURN_SLICE] = moment.slices[W5M]!;
  }
  if (words[at + PAIR] !== pair >>> 0) {
    const back = words[at + OTHER] === pair >>> 0;
    const recent = moment.nowMs - doubles[half + OTHER_TIME / 2]! <= TURN_MS;
    if (back && recent && (words[at + TURNS]! & 0xffff) !== 0xffff)
      words[at + TURNS] = words[at + TURNS]! + 1;
    words[at + OTHER] = words[at + PAIR]!;
    doubles[half + OTHER_TIME / 2] = doubles[half + PAIR_TIME / 2]!;
    words[at + PAIR] = pair;
  }
  doubles[half + PAIR_TIME / 2] = moment.nowMs;
  const turns = words[at + TURNS]!;
  return Math.fround((turns & 0xffff) + moment.overlaps[W5M]! * (turns >>> 16));
}

function rollDay({ words, at }: Block, moment: Moment): void {
  const behind = moment.slices[W24H]! - words[at + DAY]!;
  if (behind <= 0) return;
  for (const filter of [COUNTRIES, NETWORKS]) {
    words[at + filter + 2] = behind === 1 ? words[at + filter]! : 0;
    words[at + filter] = 0;
  }
  words[at + DAY] = moment.slices[W24H]!;
}

/** 1 if the value was not seen in this or the last day (one bit of 32 each: now and then a new one counts as seen). */
function isNew({ words, at }: Block, filter: number, value: number): number {
  const bit = 1 << (mix32(value) & 31);
  const seen = ((words[at + filter]! | words[at + filter + 2]!) & bit) !== 0;
  words[at + filter] = words[at + filter]! | bit;
  return seen ? 0 : 1;
}
