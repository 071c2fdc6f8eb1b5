// A feature engine as a snapshot is put back into it: rows of either axis and profiles by one name each. Adapts names only.
// Called by data-plane.ts.

import type { FeatureEngine } from '../../feature-engine/engine.ts';
import { fieldsOf } from '../../feature-engine/engine-view.ts';
import type { StateHolder } from './restore-state.ts';

export function holderOf(engine: FeatureEngine): StateHolder {
  return {
    stateView: engine.stateView,
    get stateStartedMs() {
      return engine.stateStartedMs;
    },
    set stateStartedMs(ms: number) {
      engine.stateStartedMs = ms;
    },
    rowFields: fieldsOf,
    restoreRow(table, row) {
      if (table === 'profiles') return engine.restoreProfile(row);
      return engine.restoreRow(table === 'identities' ? 'identity' : 'address', row);
    },
  };
}
