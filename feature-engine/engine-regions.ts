// What a feature engine takes of memory, decided before it is made: regions by name and bytes from the options alone, and the
// bound on what one identity costs. The engine takes exactly these; memory plans print them. Called by engine.ts, memory-plan.ts.

import { LIMITS } from '../domain/limits.ts';
import { addressBookBytes } from './address-facts.ts';
import { BUCKETS_BYTES } from './buckets.ts';
import type { FeatureEngineOptions, MemoryItem } from './engine-types.ts';
import { BUCKET_BYTES } from './kernel/bucket-kernels.ts';
import { crossingBytes } from './kernel/crossing-kernels.ts';
import { HEAD_MEMORY_BYTES } from './kernel/head-memory.ts';
import { KERNEL_TABLES_BYTES } from './kernel/memory.ts';
import { objectSizes, objectTableBytes } from './kernel/object-kernels.ts';
import { ROUTE_PROFILES_BYTES } from './kernel/route-kernels.ts';
import { SLOT_BYTES, TRACES_BYTES, WAYS } from './kernel/row-kernels.ts';
import { sessionBytes } from './kernel/session-kernels.ts';
import { PROFILE_BYTES } from './profile-layout.ts';
import { ADDRESS_ROW_BYTES, IDENTITY_ROW_BYTES } from './row-layout.ts';

/** A profile is safe until as many requests as sixteen times the pool have come since its principal's last one. */
export const PATIENCE_TURNOVERS = 16;

/** Profiles for each identity: many are seen only once. */
export const PROFILE_SHARE = 0.25;
/** What one identity may cost: its row, an address's row, their slots, its share of the profiles. */
export const IDENTITY_BYTES_MAX = 2048;
/** Slots are numbered in 24 bits. */
const ROWS_MAX = 2 ** 24 - WAYS;
/** Regions begin at lines: what rounding may take. */
const ROUNDING_BYTES = 16 * 64;

/** Bytes that one identity costs, all included but what the whole workload shares. */
export function identityBytes(): number {
  const rows = IDENTITY_ROW_BYTES + ADDRESS_ROW_BYTES + 2 * SLOT_BYTES;
  return Math.ceil(rows + PROFILE_SHARE * (PROFILE_BYTES + SLOT_BYTES));
}

/** Bytes of the views of what other replicas counted: rows, and a u16 for each identity's slot. */
export function overlayBytes(identities: number, views: number): number {
  return views === 0 ? 0 : views * IDENTITY_ROW_BYTES + identities * 2 + 64;
}

export interface EngineSizes {
  readonly identities: number;
  readonly addresses: number;
  readonly profiles: number;
}

/** Profiles for so many identities, unless an option says otherwise. */
export function profilesFor(identities: number): number {
  return Math.ceil(identities * PROFILE_SHARE);
}

/** Rows of each table, whole sets. Throws RangeError for what cannot be, or if the layout has outgrown its bound. */
export function sizesOf(options: Omit<FeatureEngineOptions, 'startedMs'>): EngineSizes {
  if (identityBytes() > IDENTITY_BYTES_MAX)
    throw new RangeError(`an identity costs ${identityBytes()} bytes, over ${IDENTITY_BYTES_MAX}`);
  const identities = options.identities ?? LIMITS.identitiesDefault;
  return {
    identities: wholeSets(identities),
    addresses: wholeSets(options.addresses ?? identities),
    profiles: wholeSets(options.profiles ?? profilesFor(identities)),
  };
}

function wholeSets(rows: number): number {
  if (!Number.isInteger(rows) || rows < 1 || rows > ROWS_MAX)
    throw new RangeError(`a table needs 1..${ROWS_MAX} rows, not ${rows}`);
  return Math.ceil(rows / WAYS) * WAYS;
}

/** Bytes of the vector and what stands behind it, for the kernels' widest stores. */
export function vectorBytes(places: number): number {
  return places * 8 + 64;
}

/** The plan, item by item: what memoryPlan() of an engine with these options says. */
export function memoryItems(
  options: Omit<FeatureEngineOptions, 'startedMs'>,
  vectorPlaces: number,
): MemoryItem[] {
  const { identities, addresses, profiles } = sizesOf(options);
  const workload =
    sessionBytes() + objectTableBytes(objectSizes(identities)) + crossingBytes() + TRACES_BYTES;
  const views = options.sharedViews ?? 0;
  const kernels = KERNEL_TABLES_BYTES + HEAD_MEMORY_BYTES + vectorBytes(vectorPlaces) + ROUNDING_BYTES;
  return [
    { name: 'identity rows', bytes: identities * (IDENTITY_ROW_BYTES + SLOT_BYTES) },
    { name: 'address rows', bytes: addresses * (ADDRESS_ROW_BYTES + SLOT_BYTES) },
    { name: 'profiles', bytes: profiles * (PROFILE_BYTES + SLOT_BYTES) },
    { name: 'workload features', bytes: workload + ROUTE_PROFILES_BYTES + BUCKETS_BYTES + BUCKET_BYTES },
    { name: 'request at hand', bytes: kernels },
    { name: 'address facts', bytes: addressBookBytes(options.addressFacts) },
    ...(views === 0 ? [] : [{ name: 'views of other replicas', bytes: overlayBytes(identities, views) }]),
  ];
}
