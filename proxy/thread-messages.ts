// What the control thread and a data thread say to each other. Everything here can be structured-cloned.
// A policy travels compiled and bound to its bundle's thresholds; a bundle travels prepared, with the policy bound to it.

import type { ErrorCode, Problem } from '../domain/errors.ts';
import type { DeclaredPath } from '../domain/openapi.ts';
import type { CompiledPolicy } from '../domain/policy.ts';
import type { AddressData } from '../feature-engine/geo-files.ts';
import type { StateView } from '../feature-engine/state-view.ts';
import type { PreparedBundle } from '../wasm-core/host/prepare.ts';
import type { DataPlaneConfig } from './data-plane-config.ts';
import type { EventBuffers } from './event-ring.ts';
import type { HashKeys } from './keyed-hash.ts';
import type { ThreadNote } from './note.ts';
import type { TokenBuffers } from './principal/token-desk.ts';
import type { ClockBase } from './shared-clock.ts';
import type { RestoreOrder } from './state/state-keeper.ts';
import type { RestoreReport } from './state/state-report.ts';

export interface ThreadListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Origin of the application, such as `http://127.0.0.1:8080`. */
  readonly upstream: string;
}

/** What a data thread starts with. */
export interface ThreadStart {
  readonly listeners: readonly ThreadListener[];
  readonly config: DataPlaneConfig;
  readonly policy: CompiledPolicy;
  readonly bundle: PreparedBundle | null;
  /** Address databases, checked. */
  readonly addresses: AddressData;
  /** The paths of an OpenAPI document. */
  readonly paths: readonly DeclaredPath[];
  /** Route templates learned before, as `learned_routes` told them. */
  readonly learned: string | null;
  readonly identityKeys: HashKeys;
  /** Null: no tokens are verified. */
  readonly tokens: TokenBuffers | null;
  readonly counters: SharedArrayBuffer;
  /** Null: no event is kept. */
  readonly events: EventBuffers | null;
  readonly clock: ClockBase;
  /** What is remembered of before; null for nothing. */
  readonly state: RestoreOrder | null;
  /** The compiled scoring core, so that no thread compiles it again. */
  readonly core: unknown;
}

export type DrainMode = 'soft' | 'stop';

export type ToDataThread =
  | { readonly kind: 'policy'; readonly nonce: number; readonly policy: CompiledPolicy }
  | {
      readonly kind: 'bundle';
      readonly nonce: number;
      readonly bundle: PreparedBundle | null;
      readonly policy: CompiledPolicy;
    }
  | { readonly kind: 'addresses'; readonly nonce: number; readonly data: AddressData }
  | { readonly kind: 'routes'; readonly nonce: number; readonly paths: readonly DeclaredPath[] }
  | { readonly kind: 'identity_keys'; readonly nonce: number; readonly keys: HashKeys }
  | { readonly kind: 'drain'; readonly nonce: number; readonly mode: DrainMode; readonly ms: number }
  | { readonly kind: 'close'; readonly nonce: number };

export interface ThreadFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly problems: readonly Problem[];
}

export interface BoundAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** The feature engine's memory, for the control thread to read, and what became of the order to put a snapshot back. */
export interface ThreadMemory {
  readonly view: StateView;
  /** Since when it counts, ms since the epoch. */
  readonly startedMs: number;
  readonly restored: RestoreReport;
}

export type FromDataThread =
  | { readonly kind: 'ready'; readonly addresses: readonly BoundAddress[]; readonly memory: ThreadMemory }
  /** All route templates learned so far. */
  | { readonly kind: 'learned_routes'; readonly saved: string }
  /** The listeners could not be opened; the thread ends. */
  | { readonly kind: 'failed'; readonly failure: ThreadFailure }
  /** The message with this nonce has been carried out. */
  | { readonly kind: 'done'; readonly nonce: number }
  | { readonly kind: 'refused'; readonly nonce: number; readonly failure: ThreadFailure }
  | { readonly kind: 'note'; readonly note: ThreadNote };
