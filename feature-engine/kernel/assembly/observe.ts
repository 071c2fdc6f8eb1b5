// One request, whole: finds its rows and its profile, counts it everywhere, writes the vector. Its order is such that what lies
// far apart in memory is looked at early and together, so that the misses overlap. Called by the host once per request.

import * as L from '../row-words';
import { observeBucket } from './bucket';
import {
  ADDRESS,
  ADDRESS_HANDLE,
  AGENT,
  AGENT_ROUTE,
  BEFORE_MS,
  BEFORE_ROUTE,
  call,
  CREDENTIAL,
  IDENTITY_HANDLE,
  LOOKED,
  NEXT_MS,
  PAIR,
  PRINCIPAL,
  PRINCIPAL_HANDLE,
  PROFILE,
  PROFILE_MADE,
  ROUTE,
  STATE_AGE_MS,
} from './call';
import { observeCrossing } from './crossing';
import { ENCOUNTERS_BYTES, encountersObserve } from './encounters';
import {
  ADDRESS_KEY,
  address,
  addressNew,
  CREDENTIAL_KEY,
  credential,
  credentialNew,
  findProfile,
  findRows,
  PRINCIPAL_KEY,
  principal,
  principalNew,
} from './find-rows';
import { GRAPH_BYTES, graphBegin, graphObserve } from './graph';
import { readBodyPrefix, readHead } from './head';
import { mix32 } from './mix';
import { moveTo } from './moment';
import { OBJECT_BYTES, observeObjects } from './objects';
import { withOthers } from './overlays';
import { writeAxis, writeLink } from './read-rows';
import { addRequest } from './rows';
import { routeProfileKeep, routeProfileObserve } from './route-profile';
import { SEQUENCE_BYTES, sequenceBegin, sequenceObserve } from './sequence';
import { addresses, handleOf, identities, touchLines } from './table';
import { addTrace } from './traces';
import { TRAVEL_BYTES, travelObserve } from './travel';

/*
 * Bytes of a profile: 0 key  16 travel  96 objects (so that its routes lie on lines)  1024 encounters  1920 graph  2488 sequence
 * The same as in profile-layout.ts.
 */
const TRAVEL_AT: usize = 16;
export const OBJECTS_AT: usize = TRAVEL_AT + TRAVEL_BYTES;
const ENCOUNTERS_AT: usize = OBJECTS_AT + OBJECT_BYTES;
const GRAPH_AT: usize = ENCOUNTERS_AT + ENCOUNTERS_BYTES;
export const SEQUENCE_AT: usize = GRAPH_AT + GRAPH_BYTES;
/** Whole lines. */
export const PROFILE_BYTES: usize = (SEQUENCE_AT + SEQUENCE_BYTES + 63) & ~63;

let seed: u32 = 0;
/** First places, in bytes: identity axis, address axis, link, state. */
let identityOut: usize = 0;
let addressOut: usize = 0;
let linkOut: usize = 0;
let stateOut: usize = 0;
/** First places and numbers of the groups that are missing without a profile. */
let sessionOut: usize = 0;
let sessionCount: usize = 0;
let objectsOut: usize = 0;
let objectsCount: usize = 0;
let encountersOut: usize = 0;
let encountersCount: usize = 0;

/** @param hashSeed keys the route's hash. */
export function configureObserve(hashSeed: u32): void {
  seed = hashSeed;
}

/** First places in the vector of the groups that rows write. */
export function configureRowPlaces(
  identityPlace: usize,
  addressPlace: usize,
  linkPlace: usize,
  statePlace: usize,
): void {
  identityOut = identityPlace << 3;
  addressOut = addressPlace << 3;
  linkOut = linkPlace << 3;
  stateOut = statePlace << 3;
}

/** The same of the groups that profiles write. */
export function configureProfiles(
  session: usize,
  sessionPlaces: usize,
  objects: usize,
  objectPlaces: usize,
  encounters: usize,
  encounterPlaces: usize,
): void {
  sessionOut = session << 3;
  sessionCount = sessionPlaces;
  objectsOut = objects << 3;
  objectsCount = objectPlaces;
  encountersOut = encounters << 3;
  encountersCount = encounterPlaces;
}

/** Marks that others read: of the route, of the keys, and of pairs. */
function writeMarks(): void {
  const route = mix32(load<u32>(call, ROUTE) ^ seed);
  store<u32>(call, route == 0 ? 1 : route, ROUTE);
  const agent = load<u32>(call, AGENT);
  const mark = load<u32>(call, ADDRESS_KEY + 8);
  store<u32>(call, mark == 0 ? 1 : mark, ADDRESS);
  store<u32>(call, load<u32>(call, CREDENTIAL_KEY + 8), CREDENTIAL);
  store<u32>(call, load<u32>(call, PRINCIPAL_KEY + 8), PRINCIPAL);
  const pair = mix32(mark ^ agent);
  store<u32>(call, pair == 0 ? 1 : pair, PAIR);
  const agentRoute = mix32(agent ^ (load<u32>(call, ROUTE) * 0x9e3779b1));
  store<u32>(call, agent == 0 ? 0 : agentRoute == 0 ? 1 : agentRoute, AGENT_ROUTE);
}

/** Counts the request into its rows and writes what they say. */
function countRows(out: usize): void {
  const other = load<u32>(call, ADDRESS_KEY + 8);
  store<f64>(call, load<f64>(principal, L.LAST << 2), BEFORE_MS);
  store<u32>(call, load<u32>(principal, L.LAST_ROUTE << 2), BEFORE_ROUTE);
  store<u32>(principal, load<u32>(call, ROUTE), L.LAST_ROUTE << 2);
  const gapMs = addRequest(credential, credentialNew, true, other);
  if (principal != credential) addRequest(principal, principalNew, true, other);
  const addressGapMs = addRequest(address, addressNew, false, load<u32>(call, CREDENTIAL_KEY + 8));
  if (credentialNew) {
    const made = load<u16>(address, L.MADE_1M << 2);
    if (made != 0xffff) store<u16>(address, made + 1, L.MADE_1M << 2);
  }
  const read = withOthers(credential, 0);
  const readLong = principal == credential ? read : withOthers(principal, 1);
  writeAxis(out + identityOut, read, readLong, gapMs);
  writeAxis(out + addressOut, address, address, addressGapMs);
  writeLink(out + linkOut, credential, principal, address, other, read, readLong);
  store<f64>(out + stateOut, <f64>(<f32>(max<f64>(load<f64>(call, STATE_AGE_MS), 0) / 1000)));
}

/** What only a profile knows is missing. */
// @ts-ignore: decorator
@inline
function writeMissing(at: usize, count: usize): void {
  for (let end = at + (count << 3); at < end; at += 8) store<f64>(at, f64.NaN);
}

/** Counts the request into the principal's profile and writes what it says; without one, what the workload says. */
function observeProfile(profile: usize, out: usize): void {
  if (profile == 0) {
    writeMissing(out + sessionOut, sessionCount);
    writeMissing(out + objectsOut, objectsCount);
    writeMissing(out + encountersOut, encountersCount);
    travelObserve(0, out);
    sequenceObserve(0, out);
    return;
  }
  if (load<u32>(call, PROFILE_MADE) != 0) {
    const route = load<u32>(call, BEFORE_ROUTE);
    const before = load<f64>(call, BEFORE_MS);
    graphBegin(profile + GRAPH_AT, route, before);
    sequenceBegin(profile + SEQUENCE_AT, route, before);
  }
  graphObserve(profile + GRAPH_AT, out);
  sequenceObserve(profile + SEQUENCE_AT, out);
  observeObjects(profile + OBJECTS_AT, out);
  travelObserve(profile + TRAVEL_AT, out);
  encountersObserve(profile + ENCOUNTERS_AT, out);
}

/**
 * Counts the request of the call struct and writes its vector at `out`. NEXT_MS, keys, route, facts
 * of head and address are in the call; handles, trace and marks are there afterwards.
 */
export function observe(out: usize): void {
  moveTo(load<f64>(call, NEXT_MS));
  findRows();
  const profile = findProfile();
  store<usize>(call, profile, PROFILE);
  if (profile != 0) store<u32>(call, touchLines(profile, PROFILE_BYTES), LOOKED);
  readHead(out);
  readBodyPrefix(out);
  writeMarks();
  countRows(out);
  observeProfile(profile, out);
  observeCrossing(out);
  observeBucket(out);
  store<f64>(call, handleOf(identities, credential), IDENTITY_HANDLE);
  store<f64>(call, handleOf(addresses, address), ADDRESS_HANDLE);
  store<f64>(call, handleOf(identities, principal), PRINCIPAL_HANDLE);
  routeProfileObserve(out);
  routeProfileKeep(addTrace());
}
