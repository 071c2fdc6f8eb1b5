// The shape of a contract case: a name and what to do with a store. See event-contract.ts and record-contract.ts.
// A test file opens a store for each case, runs it, and closes it.

import type { ManualClock } from '../../domain/clock.ts';
import type { Store } from '../store/store.ts';

export interface ContractContext {
  readonly clock: ManualClock;
  /** Opens a store on the same data again, after the first was closed; the case closes it. */
  open(): Promise<Store>;
}

export interface ContractCase {
  readonly name: string;
  readonly run: (store: Store, context: ContractContext) => Promise<void>;
}
