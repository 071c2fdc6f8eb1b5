// Where one principal comes from: how far and how fast it moved since its last located request, countries and networks that are
// new to it, and two address/agent pairs taking turns. Knows no databases: the host puts the facts of the address into the call.
// Distances are computed by the host (travel.ts), whose sine the kernels do not have, and only when the place has changed.
// Called by observe.ts.

import {
  ASN,
  call,
  COUNTRY,
  KIND,
  LATITUDE,
  LONGITUDE,
  nowMs,
  overlap,
  PAIR,
  slice,
  STATE_AGE_MS,
} from './call';
import { mix32 } from './mix';

/** Great-circle distance, km. */
// @ts-ignore: decorator
@external("host", "distanceKm")
declare function distanceKm(fromLat: f64, fromLon: f64, toLat: f64, toLon: f64): f64;

/** Databases place an address within about 100 km; nearer jumps prove nothing. */
const IMPOSSIBLE_MIN_KM: f64 = 100;
/** Above what an airliner flies, door to door. */
const IMPOSSIBLE_KM_H: f64 = 1000;
const HOUR_MS: f64 = 3_600_000;
/** Two requests are never taken to be nearer in time. */
const GAP_MIN_MS: f64 = 1000;
const TURN_MS: f64 = 300_000;
const NEW_MIN_CALLS: u32 = 5;
const DAY_MS: f64 = 86_400_000;
const W5M: usize = 2;
const W24H: usize = 4;
/** Kinds of address-kind.ts. */
const KIND_PRIVATE: u32 = 1;
const KIND_DATACENTER: u32 = 2;
const KIND_UNKNOWN: u32 = 255;

/*
 * Bytes of a block (zeros at first):
 *   0 time of the last located request, f64 ms (0: none)   8, 12 its latitude and longitude, f32   16 calls
 *  24, 32 times of this pair and the other one, f64 ms    40, 44 their hashes    48 slice and 52 counter of turns, 5 min
 *  56 day, 60 filter of countries, 64 of networks: 32 bits each for this day, 68, 72 the day before
 */
const LOCATED: usize = 0;
const LAT: usize = 8;
const LON: usize = 12;
const CALLS: usize = 16;
const PAIR_TIME: usize = 24;
const OTHER_TIME: usize = 32;
const THIS: usize = 40;
const OTHER: usize = 44;
const TURN_SLICE: usize = 48;
const TURNS: usize = 52;
const DAY: usize = 56;
const COUNTRIES: usize = 60;
const NETWORKS: usize = 64;
/** From this day's filters to those of the day before. */
const BEFORE: usize = 8;
export const TRAVEL_BYTES: usize = 80;
const FEATURES: usize = 10;

/** Byte of the vector where the group begins. */
let place: usize = 0;

/** @param firstPlace place in the vector of the first feature of features-geo.ts. */
export function configureTravel(firstPlace: usize): void {
  place = firstPlace << 3;
}

/** Takes in the request at hand and writes its 10 features. `block` is 0 for a principal without a profile. */
export function travelObserve(block: usize, vector: usize): void {
  const out = vector + place;
  writeAddress(out);
  if (block == 0) {
    for (let i: usize = 4; i < FEATURES; i++) store<f64>(out + (i << 3), f64.NaN);
    return;
  }
  const calls = min(load<u32>(block, CALLS) + 1, NEW_MIN_CALLS);
  store<u32>(block, calls, CALLS);
  writeMove(block, out + 32);
  store<f64>(out, countTurns(block), 56);
  rollDay(block);
  const young = calls < NEW_MIN_CALLS || load<f64>(call, STATE_AGE_MS) < DAY_MS;
  const country = load<u32>(call, COUNTRY);
  const network = load<u32>(call, ASN);
  const countryNew = country == 0 ? f64.NaN : isNew(block + COUNTRIES, country);
  const networkNew = network == 0 ? f64.NaN : isNew(block + NETWORKS, network);
  store<f64>(out, young ? f64.NaN : countryNew, 64);
  store<f64>(out, young ? f64.NaN : networkNew, 72);
}

/** What the address says without any history: 4 places. */
// @ts-ignore: decorator
@inline
function writeAddress(out: usize): void {
  const kind = load<u32>(call, KIND);
  const unknown = kind == KIND_UNKNOWN;
  store<f64>(out, <f64>load<f32>(call, LATITUDE));
  store<f64>(out, <f64>load<f32>(call, LONGITUDE), 8);
  store<f64>(out, unknown ? f64.NaN : kind == KIND_PRIVATE ? 1 : 0, 16);
  store<f64>(out, unknown ? f64.NaN : kind == KIND_DATACENTER ? 1 : 0, 24);
}

/** Distance, speed and the flag since the last located request: 3 places. */
function writeMove(block: usize, out: usize): void {
  const latitude = load<f32>(call, LATITUDE);
  const longitude = load<f32>(call, LONGITUDE);
  const last = load<f64>(block, LOCATED);
  if (latitude != latitude || last == 0) {
    store<f64>(out, f64.NaN);
    store<f64>(out, f64.NaN, 8);
    store<f64>(out, f64.NaN, 16);
    if (latitude != latitude) return;
  } else {
    const fromLat = load<f32>(block, LAT);
    const fromLon = load<f32>(block, LON);
    const same = fromLat == latitude && fromLon == longitude;
    const km = same ? 0 : distanceKm(<f64>fromLat, <f64>fromLon, <f64>latitude, <f64>longitude);
    const speed = (km * HOUR_MS) / max<f64>(nowMs() - last, GAP_MIN_MS);
    store<f64>(out, <f64>(<f32>km));
    store<f64>(out, <f64>(<f32>speed), 8);
    store<f64>(out, km > IMPOSSIBLE_MIN_KM && speed > IMPOSSIBLE_KM_H ? 1 : 0, 16);
  }
  store<f64>(block, nowMs(), LOCATED);
  store<f32>(block, latitude, LAT);
  store<f32>(block, longitude, LON);
}

/** Times in 5 minutes that the last two address/agent pairs took turns, each back within 5 minutes. */
// @ts-ignore: decorator
@inline
function countTurns(block: usize): f64 {
  const now = slice(W5M);
  const behind = <i32>(now - load<u32>(block, TURN_SLICE));
  if (behind > 0) {
    store<u32>(block, behind == 1 ? load<u32>(block, TURNS) << 16 : 0, TURNS);
    store<u32>(block, now, TURN_SLICE);
  }
  const pair = load<u32>(call, PAIR);
  if (load<u32>(block, THIS) != pair) takeTurn(block, pair);
  store<f64>(block, nowMs(), PAIR_TIME);
  const turns = load<u32>(block, TURNS);
  return <f64>(<f32>(<f64>(turns & 0xffff) + overlap(W5M) * <f64>(turns >>> 16)));
}

function takeTurn(block: usize, pair: u32): void {
  const back = load<u32>(block, OTHER) == pair;
  const recent = nowMs() - load<f64>(block, OTHER_TIME) <= TURN_MS;
  const turns = load<u32>(block, TURNS);
  if (back && recent && (turns & 0xffff) != 0xffff) store<u32>(block, turns + 1, TURNS);
  store<u32>(block, load<u32>(block, THIS), OTHER);
  store<f64>(block, load<f64>(block, PAIR_TIME), OTHER_TIME);
  store<u32>(block, pair, THIS);
}

// @ts-ignore: decorator
@inline
function rollDay(block: usize): void {
  const now = slice(W24H);
  const behind = <i32>(now - load<u32>(block, DAY));
  if (behind <= 0) return;
  store<u64>(block + BEFORE, behind == 1 ? load<u64>(block, COUNTRIES) : 0, COUNTRIES);
  store<u64>(block, 0, COUNTRIES);
  store<u32>(block, now, DAY);
}

/** 1 if the value was not seen in this or the last day (one bit of 32 each: now and then a new one counts as seen). */
// @ts-ignore: decorator
@inline
function isNew(filter: usize, value: u32): f64 {
  const bit: u32 = 1 << (mix32(value) & 31);
  const seen = ((load<u32>(filter) | load<u32>(filter, BEFORE)) & bit) != 0;
  store<u32>(filter, load<u32>(filter) | bit);
  return seen ? 0 : 1;
}
