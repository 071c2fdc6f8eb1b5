// What every sidecar should run now: one policy version and one bundle, immutable; a change makes a new snapshot.
// Policy and bundle are two resources: each is pushed, acked and refused by itself.

import type { PolicyDocument } from '../domain/policy.ts';
import type { ModelRecord, PolicyRecord } from './store/store.ts';

export interface Snapshot {
  readonly policy: PolicyRecord;
  /** The policy's document, decoded. */
  readonly document: PolicyDocument;
  /** Null: no model was ever activated; sidecars keep their own. */
  readonly bundle: ModelRecord | null;
}

/** Who is meant: empty texts leave it open. A route does not narrow the sidecars, only the rule. */
export interface Scope {
  readonly namespace: string;
  readonly workload: string;
  readonly route: string;
}

export const FLEET: Scope = { namespace: '', workload: '', route: '' };

/** Is a sidecar of this workload in the scope? */
export function inScope(scope: Scope, sidecar: { namespace: string; workload: string }): boolean {
  return (
    (scope.namespace === '' || scope.namespace === sidecar.namespace) &&
    (scope.workload === '' || scope.workload === sidecar.workload)
  );
}
