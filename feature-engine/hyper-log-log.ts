// The workload bucket's distinct counts: those of domain/hyper-log-log.ts, which the control plane merges with too.
// No code of its own. Called by bucket.ts.

export { HLL_REGISTERS, hllAdd, hllCount, hllMerge } from '../domain/hyper-log-log.ts';
