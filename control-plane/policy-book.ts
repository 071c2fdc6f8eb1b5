// The policy and its history: every change is one new version with who, when and what; it is stored before it is pushed.
// Changes are made one after the other. Reading, checking and compiling the document is domain's business.

import type { Clock } from '../domain/clock.ts';
import { PicketError } from '../domain/errors.ts';
import type { PolicyDocument } from '../domain/policy.ts';
import { checkPolicy, parsePolicy } from '../domain/policy-schema.ts';
import { canonicalJson } from '../wasm-core/host/encode-sections.ts';
import type { Publisher } from './publish.ts';
import { describeChange, type ModeChange, setMode } from './set-mode.ts';
import type { Scope } from './snapshot.ts';
import type { PolicyRecord, PolicyStore } from './store/store.ts';

export interface PolicyChange {
  readonly version: string;
  readonly previousVersion: string;
  readonly changed: boolean;
}

export interface ChangeRequest {
  readonly actor: string;
  /** Empty = whatever stands. */
  readonly expectedVersion: string;
}

/** The newest stored policy, or the first one, stored now: `text` if it is given, else an empty document (monitor). */
export async function firstPolicy(
  store: PolicyStore,
  clock: Clock,
  text: string | undefined,
): Promise<PolicyRecord> {
  const newest = await store.newest();
  if (newest !== null) return newest;
  const document = canonicalJson(parsePolicy(text ?? '{}'));
  const change = text === undefined ? 'no policy yet: monitor' : 'the policy file of the first start';
  return store.append({ document, atMs: clock.nowMs(), actor: 'control-plane', change, expectedVersion: '' });
}

/** Decodes a stored document. */
export function documentOf(record: PolicyRecord): PolicyDocument {
  return checkPolicy(JSON.parse(record.document));
}

export class PolicyBook {
  readonly #store: PolicyStore;
  readonly #publisher: Publisher;
  readonly #clock: Clock;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: PolicyStore, publisher: Publisher, clock: Clock) {
    this.#store = store;
    this.#publisher = publisher;
    this.#clock = clock;
  }

  get current(): PolicyRecord {
    return this.#publisher.snapshot.policy;
  }

  /** A stored version; the newest for an empty text. NOT_FOUND otherwise. */
  async get(version: string): Promise<PolicyRecord> {
    const record = version === '' ? this.current : await this.#store.get(version);
    if (record !== null) return record;
    throw new PicketError('NOT_FOUND', `no policy has the version ${version}`, {
      hint: 'list them with: picket ctl policy history',
    });
  }

  list(limit: number, before: string): Promise<readonly PolicyRecord[]> {
    return this.#store.list(limit, before);
  }

  /** Takes a whole document (YAML or JSON). POLICY_INVALID or POLICY_VERSION_CONFLICT refuse it whole. */
  apply(text: string, request: ChangeRequest): Promise<PolicyChange> {
    const document = parsePolicy(text);
    return this.#change(request, 'a policy document was applied', () => document);
  }

  /** Sets the mode at a scope. NOT_FOUND for a route that the policy does not declare. */
  setMode(scope: Scope, change: ModeChange, request: ChangeRequest): Promise<PolicyChange> {
    return this.#change(request, describeChange(scope, change), (document) =>
      setMode(document, scope, change),
    );
  }

  #change(
    request: ChangeRequest,
    words: string,
    edit: (document: PolicyDocument) => PolicyDocument,
  ): Promise<PolicyChange> {
    const turn = this.#turn.then(() => this.#changeNow(request, words, edit));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #changeNow(
    request: ChangeRequest,
    change: string,
    edit: (document: PolicyDocument) => PolicyDocument,
  ): Promise<PolicyChange> {
    const { policy, document } = this.#publisher.snapshot;
    const expectedVersion = request.expectedVersion === '' ? policy.version : request.expectedVersion;
    const next = checkPolicy(edit(document));
    const text = canonicalJson(next);
    const unchanged = text === policy.document && expectedVersion === policy.version;
    if (unchanged) return { version: policy.version, previousVersion: policy.version, changed: false };
    const atMs = this.#clock.nowMs();
    const record = await this.#store.append({
      document: text,
      atMs,
      actor: request.actor,
      change,
      expectedVersion,
    });
    this.#publisher.publish({ policy: record, document: next });
    return { version: record.version, previousVersion: policy.version, changed: true };
  }
}
