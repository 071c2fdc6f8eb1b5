// The origin's answer, brought back to the rows and the profile of its request. One whose row has made room since is dropped and
// counted. Called by the host once per outcome; not for our own refusals.

import * as L from '../row-words';
import { bucketAnswered } from './bucket';
import { AT_MS, call, PRINCIPAL_HANDLE, STATUS } from './call';
import { crossingAnswered } from './crossing';
import { moveTo } from './moment';
import { objectsAnswered } from './objects';
import { OBJECTS_AT, SEQUENCE_AT } from './observe';
import { routeProfileAnswered } from './route-profile';
import { addAnswer, late, rollRow } from './rows';
import { sequenceAnswered } from './sequence';
import { addGood, addresses, identities, profiles, rowOf, rowOfHandle, sameKey } from './table';
import { findTrace } from './traces';

let stale: f64 = 0;

/** Answers, per axis, whose row had made room for another key. */
export function staleAnswers(): f64 {
  return stale;
}

/** Answers, per row, that were too old for window `w`. */
export function lateAnswers(w: usize): f64 {
  return <f64>load<u32>(late + (w << 2));
}

// @ts-ignore: decorator
@inline
function isGood(): bool {
  const status = load<u32>(call, STATUS);
  return status >= 200 && status < 400;
}

// @ts-ignore: decorator
@inline
function bringBack(table: usize, row: usize): void {
  if (isGood()) addGood(table, row);
  rollRow(row, table == identities);
  addAnswer(row);
}

/** The principal's row of the call's trace; the credential's where both are the same. Brings the answer back to it. */
// @ts-ignore: decorator
@inline
function principalRow(identity: f64, row: usize): usize {
  const handle = load<f64>(call, PRINCIPAL_HANDLE);
  if (handle == identity) return row;
  const principal = rowOfHandle(identities, handle);
  if (principal != 0) bringBack(identities, principal);
  return principal;
}

/** The profile of a principal's row, 0 without one. */
// @ts-ignore: decorator
@inline
function profileOf(principal: usize): usize {
  if (principal == 0) return 0;
  const place = load<u32>(principal, L.PROFILE << 2);
  if (place == 0) return 0;
  const profile = rowOf(profiles, place - 1);
  return sameKey(profile, principal) ? profile : 0;
}

/**
 * Brings the answer of the call struct (AT_MS, STATUS, bytes, TRACE) back to everything that its request was counted in. What
 * needs the route is counted only if the trace is still known.
 * @param identity IDENTITY_HANDLE after the request was observed. @param client the same of ADDRESS_HANDLE.
 */
export function answer(identity: f64, client: f64): void {
  moveTo(load<f64>(call, AT_MS));
  const row = rowOfHandle(identities, identity);
  if (row == 0) stale++;
  else bringBack(identities, row);
  const address = rowOfHandle(addresses, client);
  if (address == 0) stale++;
  else bringBack(addresses, address);
  bucketAnswered();
  const trace = findTrace();
  if (trace == 0) return;
  if (isGood()) routeProfileAnswered(trace);
  const profile = profileOf(principalRow(identity, row));
  if (profile != 0) {
    if (isGood()) addGood(profiles, profile);
    objectsAnswered(profile + OBJECTS_AT);
  }
  sequenceAnswered(profile == 0 ? 0 : profile + SEQUENCE_AT);
  crossingAnswered();
}
