// How much memory the sidecar may take, decided at start: what has a fixed size, exactly; what has a bound, by its bound.
// Printed at start and in /status; a plan above the limit is refused before anything is opened. Called by main.ts.

import { readFileSync, statSync } from 'node:fs';
import { PicketError } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import { GEO_FILE_ROLES, type GeoPaths, geoFileRoom } from '../feature-engine/geo-files.ts';
import { plannedMemory } from '../feature-engine/memory-plan.ts';
import { BLOCK_BYTES_MAX } from '../feature-engine/snapshot-format.ts';
import { CORE_BYTES_DEFAULT } from '../wasm-core/host/core.ts';
import type { SidecarConfig } from './config.ts';
import { COUNTERS_BYTES } from './counters.ts';
import { eventBuffersBytes } from './event-ring.ts';
import { tokenMemoryBytes } from './principal/principals.ts';
import { OVERLAY_ROWS } from './state/overlay-rows.ts';

export interface MemoryItem {
  readonly name: string;
  readonly bytes: number;
}

export interface MemoryPlan {
  readonly items: readonly MemoryItem[];
  readonly totalBytes: number;
  /** What the plan was held against; null if there is no limit. */
  readonly limitBytes: number | null;
}

/** Heap bounds of the data thread, MiB. Young: garbage that a request leaves; old: what lives as long as a connection. */
export const DATA_HEAP_MB = { old: 96, young: 24 } as const;
/** Node itself with its code and both threads' fixed parts, as measured idle; the control thread's heap under load. */
const RUNTIME_BYTES = 60 * 2 ** 20;
const CONTROL_HEAP_BYTES = 24 * 2 ** 20;
/** Its library, and one exchange of 2,048 identities with the values of a few replicas. */
const STORE_CLIENT_BYTES = 24 * 2 ** 20;
type Planned = Pick<
  SidecarConfig,
  | 'identities'
  | 'flaggedRingSlots'
  | 'allowRingSlots'
  | 'controlPlane'
  | 'memoryLimitBytes'
  | 'heldBodiesMax'
  | 'bodyPrefixBytes'
  | 'stateDirMaxBytes'
> & { readonly jwks?: string | undefined; readonly sharedWindows?: string | undefined } & GeoPaths;

/** `containerBytes`: the container's limit, or null. */
export function memoryPlan(config: Planned, containerBytes: number | null): MemoryPlan {
  const sizes = { flaggedSlots: config.flaggedRingSlots, allowSlots: config.allowRingSlots };
  const items: MemoryItem[] = [
    { name: 'runtime', bytes: RUNTIME_BYTES },
    { name: 'control thread heap', bytes: CONTROL_HEAP_BYTES },
    { name: 'data thread heap, at most', bytes: (DATA_HEAP_MB.old + DATA_HEAP_MB.young) * 2 ** 20 },
    ...plannedMemory(config.identities, config.sharedWindows === undefined ? 0 : OVERLAY_ROWS),
    { name: 'client of the shared store', bytes: sharedClientBytes(config) },
    { name: 'while the state is saved', bytes: savingBytes(config) },
    { name: 'address databases, two of each at a change', bytes: 2 * databaseBytes(config) },
    { name: 'held bodies, at most', bytes: heldBodiesBytes(config) },
    { name: 'scoring core', bytes: CORE_BYTES_DEFAULT },
    { name: 'event rings', bytes: config.controlPlane === undefined ? 0 : eventBuffersBytes(sizes) },
    { name: 'counters', bytes: COUNTERS_BYTES },
    { name: 'principals of verified tokens', bytes: tokenMemoryBytes(config.identities, config.jwks) },
  ];
  const totalBytes = items.reduce((sum, item) => sum + item.bytes, 0);
  return { items, totalBytes, limitBytes: config.memoryLimitBytes ?? containerBytes };
}

/** The client, and when each identity was seen last. */
function sharedClientBytes({ sharedWindows, identities }: Planned): number {
  return sharedWindows === undefined ? 0 : STORE_CLIENT_BYTES + 4 * identities;
}

/** Rank and place of each row of the three tables, and a few blocks of the file on their way. */
function savingBytes({ stateDirMaxBytes, identities }: Planned): number {
  return stateDirMaxBytes === 0 ? 0 : 3 * 6 * identities + 8 * BLOCK_BYTES_MAX;
}

/** Each holds its prefix and the rest of the piece that filled it. */
function heldBodiesBytes({ heldBodiesMax, bodyPrefixBytes }: Planned): number {
  return heldBodiesMax * (bodyPrefixBytes + LIMITS.bodyPieceMaxBytes);
}

/** What the address databases may grow to. A file that is away counts nothing: the start fails with it anyway. */
function databaseBytes(paths: GeoPaths): number {
  let bytes = 0;
  for (const role of GEO_FILE_ROLES) {
    const stats = paths[role] === undefined ? undefined : statSync(paths[role], { throwIfNoEntry: false });
    if (stats !== undefined) bytes += geoFileRoom(role, stats.size);
  }
  return bytes;
}

/** Throws MEMORY_PLAN, with every item, if the plan is above its limit. */
export function checkMemoryPlan(plan: MemoryPlan): void {
  if (plan.limitBytes === null || plan.totalBytes <= plan.limitBytes) return;
  throw new PicketError(
    'MEMORY_PLAN',
    `the plan takes ${mib(plan.totalBytes)}, the limit is ${mib(plan.limitBytes)}`,
    {
      problems: plan.items.map((item) => ({
        field: item.name,
        value: mib(item.bytes),
        expected: 'less, all in all',
      })),
      hint: 'fewer --identities, smaller address databases, or a higher --memory-limit-bytes',
    },
  );
}

export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Memory limit of this container from cgroup v2 or v1 files; null outside of one. */
export function containerLimitBytes(
  paths: readonly string[] = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'],
): number | null {
  for (const path of paths) {
    try {
      const limit = Number(readFileSync(path, 'utf8').trim());
      // Version 1 says "no limit" with a number near 2^63.
      if (limit > 0 && limit < 2 ** 50) return limit;
    } catch {
      // Not this version of cgroups, or none.
    }
  }
  return null;
}
