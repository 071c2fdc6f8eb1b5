// Finds what a request counts in: the rows of its credential, its principal and its client address, and the principal's
// profile. Makes them where there are none; renames them after a rotation; keeps the cap on new identities. What lies far apart
// in memory is looked at early and together, so that the misses overlap. Called by observe.ts.

import * as L from '../row-words';
import { call, FORMER, FORMER_KEYS, KEYS, LOOKED, overlap, PROFILE_MADE } from './call';
import { rollRow } from './rows';
import {
  addresses,
  countLookup,
  find,
  identities,
  madeNew,
  peek,
  profiles,
  rowOf,
  sameKey,
  setOf,
  slotOf,
  touchLines,
  touchRow,
} from './table';
import { rename } from './table-moves';

export const CREDENTIAL_KEY: usize = KEYS;
export const PRINCIPAL_KEY: usize = KEYS + 16;
export const ADDRESS_KEY: usize = KEYS + 32;
/** A principal that got no profile asks again at every 16th request only. */
const ASK_AGAIN: u32 = 15;
const IDENTITY_BYTES: usize = L.IDENTITY_ROW_WORDS << 2;
const ADDRESS_BYTES: usize = L.ADDRESS_ROW_WORDS << 2;

/** Rows of the request at hand: the credential's, the principal's (the same one where both keys are equal), the address's. */
export let credential: usize = 0;
export let principal: usize = 0;
export let address: usize = 0;
export let credentialNew: bool = false;
export let principalNew: bool = false;
export let addressNew: bool = false;

/** New identities that an address may bring in a minute, 0 = as many as it likes; and how many were refused a row so far. */
let perAddress: u32 = 0;
let shared: f64 = 0;

/** @param newPerAddress option newIdentitiesPerPeer, 0 = no cap. */
export function configureFind(newPerAddress: u32): void {
  perAddress = newPerAddress;
  shared = 0;
}

/** Requests of credentials that shared the row of their address. */
export function sharedRequests(): f64 {
  return shared;
}

/** One word of each set: both misses at once. Stored, so that no compiler leaves it out. */
// @ts-ignore: decorator
@inline
function lookAtSets(): void {
  const identity = load<u32>(setOf(identities, call + CREDENTIAL_KEY));
  store<u32>(call, identity ^ load<u32>(setOf(addresses, call + ADDRESS_KEY)), LOOKED);
}

/** A row found under the key before a rotation moves to the key of now, and an identity's profile with it. */
function renameFormer(table: usize, bit: u32, place: usize): void {
  const key = call + KEYS + place;
  if ((load<u32>(call, FORMER) & bit) == 0 || peek(table, key) != 0) return;
  const former = call + FORMER_KEYS + place;
  const row = rename(table, former, key);
  if (row == 0 || table != identities) return;
  const profile = rename(profiles, former, key);
  store<u32>(row, profile == 0 ? 0 : slotOf(profiles, profile) + 1, L.PROFILE << 2);
}

/** May this address bring another identity? Counts by the two-slice minute. */
// @ts-ignore: decorator
@inline
function mayMake(): bool {
  const made = load<u32>(address, L.MADE_1M << 2);
  return <f64>(made & 0xffff) + overlap(1) * <f64>(made >>> 16) < <f64>perAddress;
}

/** Row of an identity. Beyond the cap, a key that has no row counts on a row of its address's key. */
function findIdentity(key: usize): usize {
  if (perAddress != 0 && peek(identities, key) == 0 && !mayMake()) {
    shared++;
    return find(identities, call + ADDRESS_KEY);
  }
  return find(identities, key);
}

/** Finds or makes the rows. The address comes first: it says whether an identity may be made. */
export function findRows(): void {
  lookAtSets();
  if (load<u32>(call, FORMER) != 0) {
    renameFormer(identities, 1, 0);
    renameFormer(identities, 2, 16);
    renameFormer(addresses, 4, 32);
  }
  address = find(addresses, call + ADDRESS_KEY);
  addressNew = madeNew(addresses);
  if (perAddress != 0 && !addressNew) rollRow(address, false);
  credential = findIdentity(call + CREDENTIAL_KEY);
  credentialNew = madeNew(identities);
  principal = credential;
  principalNew = credentialNew;
  if (!sameKey(call + CREDENTIAL_KEY, call + PRINCIPAL_KEY)) {
    principal = findIdentity(call + PRINCIPAL_KEY);
    principalNew = madeNew(identities) && principal != credential;
    // Making room for the principal may have taken the credential's slot; a full set of eight strangers is needed for that.
    if (!sameKey(credential, call + CREDENTIAL_KEY) && !sameKey(credential, call + ADDRESS_KEY)) {
      credential = principal;
      credentialNew = principalNew;
    }
  }
  const looked = touchLines(credential, IDENTITY_BYTES) ^ touchLines(address, ADDRESS_BYTES);
  store<u32>(call, looked, LOOKED);
}

/** The principal's profile, 0 without one: the row knows its place, so it costs no look-up but the first. */
export function findProfile(): usize {
  store<u32>(call, 0, PROFILE_MADE);
  if (principalNew) return 0;
  const place = load<u32>(principal, L.PROFILE << 2);
  if (place != 0) {
    const known = rowOf(profiles, place - 1);
    if (sameKey(known, principal)) {
      touchRow(profiles, known);
      return known;
    }
  }
  const total = load<u32>(principal, L.TOTAL << 2) + 1;
  if (place == 0 && total != 2 && (total & ASK_AGAIN) != 0) {
    countLookup(profiles);
    return 0;
  }
  const profile = find(profiles, principal);
  if (profile != 0) store<u32>(call, madeNew(profiles) ? 1 : 0, PROFILE_MADE);
  store<u32>(principal, profile == 0 ? 0 : slotOf(profiles, profile) + 1, L.PROFILE << 2);
  return profile;
}
