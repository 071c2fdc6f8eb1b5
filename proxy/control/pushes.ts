// What the control plane pushes: policies and bundles, each with its nonce. Good ones are put in force, acked when the data
// thread runs them, and kept on disk; bad ones are nacked with the reason and change nothing.
// Policy and bundle never wait for each other: a bundle under way, or a bad one, does not hold back a mode switch.

import { PicketError } from '../../domain/errors.ts';
import { checkPolicy } from '../../domain/policy-schema.ts';
import { Resource } from '../../proto/gen/picket/v1/common.ts';
import type { BundleOffer, ConnectRequest, PolicySnapshot } from '../../proto/gen/picket/v1/sidecar.ts';
import { type Current, sha256Hex } from '../current.ts';
import type { SidecarLog } from '../log.ts';
import { BundleFetch, type OpenFetch } from './bundle-fetch.ts';
import type { LastGood } from './last-good.ts';

export interface PushesOptions {
  readonly current: Current;
  readonly lastGood: LastGood | null;
  readonly log: SidecarLog;
}

type Send = (message: NonNullable<ConnectRequest['message']>) => void;

const VERSION_MAX_CHARS = 96;

export class Pushes {
  readonly #options: PushesOptions;
  /** Kept across connections, so that a transfer is resumed. */
  #fetch: BundleFetch | null = null;
  #fetching: AbortController | null = null;
  /** Writes to disk one after the other, in the order of the pushes. */
  #saving: Promise<void> = Promise.resolve();

  constructor(options: PushesOptions) {
    this.#options = options;
  }

  async policy(push: PolicySnapshot, send: Send): Promise<void> {
    const { current, lastGood, log } = this.#options;
    const { nonce, version } = push;
    try {
      if (version === '' || version.length > VERSION_MAX_CHARS) {
        throw new PicketError('POLICY_INVALID', `the policy's version has ${version.length} characters`);
      }
      const document = checkPolicy(JSON.parse(push.document.toString('utf8')));
      await current.setPolicy({ document, version, origin: 'control_plane' });
      send({ $case: 'ack', value: { resource: Resource.POLICY, nonce, version } });
      const { mode, modeSource } = current.compiled.rule;
      log.info({ policy: version, mode, modeSource }, 'policy in force');
      this.#save(() => lastGood?.savePolicy({ version, document }));
    } catch (thrown) {
      this.#nack(Resource.POLICY, push, thrown, send);
    }
  }

  async bundle(offer: BundleOffer, send: Send, open: OpenFetch): Promise<void> {
    const { current, lastGood, log } = this.#options;
    const push = { nonce: offer.nonce, version: offer.digest };
    this.#fetching?.abort();
    const fetching = new AbortController();
    this.#fetching = fetching;
    try {
      const held = current.bundle;
      if (held?.digest !== offer.digest || held.origin !== 'control_plane') {
        const bytes = await this.#bytes(offer, open, fetching.signal);
        const prepared = current.prepare(bytes);
        if (fetching.signal.aborted) return;
        await current.setBundle({ prepared, digest: offer.digest, origin: 'control_plane' });
        log.info({ bundle: prepared.id, digest: offer.digest }, 'bundle in force');
        this.#save(() => lastGood?.saveBundle(bytes));
      }
      send({ $case: 'ack', value: { resource: Resource.BUNDLE, ...push } });
    } catch (thrown) {
      // Given up for a newer offer or a lost connection: nobody waits for an answer.
      if (!fetching.signal.aborted) this.#nack(Resource.BUNDLE, push, thrown, send);
    }
  }

  /** The connection is gone: transfers stop (and are resumed by the next one). */
  disconnected(): void {
    this.#fetching?.abort();
    this.#fetching = null;
  }

  /** Resolves when everything accepted so far is on disk. */
  saved(): Promise<void> {
    return this.#saving;
  }

  async #bytes(offer: BundleOffer, open: OpenFetch, signal: AbortSignal): Promise<Buffer> {
    const stored = await this.#options.lastGood?.loadBundle();
    if (stored !== undefined && stored !== null && sha256Hex(stored) === offer.digest) return stored;
    if (this.#fetch?.digest !== offer.digest) this.#fetch = new BundleFetch(offer.digest, offer.sizeBytes);
    const bytes = await this.#fetch.run(open, signal);
    this.#fetch = null;
    return bytes;
  }

  #nack(resource: Resource, push: { nonce: string; version: string }, thrown: unknown, send: Send): void {
    const fallback = thrown instanceof SyntaxError ? 'POLICY_INVALID' : 'INTERNAL';
    const error = PicketError.from(thrown, fallback);
    const detail = error.problems.map((p) => `${p.field}: found ${p.value}, expected ${p.expected}`);
    const reason = [error.message, ...detail].join('; ').slice(0, 2000);
    const { nonce, version } = push;
    this.#options.log.warn(
      { code: error.code, version },
      `a push was refused; what ran before goes on: ${reason}`,
    );
    send({ $case: 'nack', value: { resource, nonce, version, code: error.code, reason } });
  }

  #save(write: () => Promise<void> | undefined): void {
    this.#saving = this.#saving.then(write).catch((thrown: unknown) => {
      this.#options.log.warn({ err: thrown }, 'the state folder cannot be written');
    });
  }
}
