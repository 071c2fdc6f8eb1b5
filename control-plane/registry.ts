// Bundles: checked whole when they are pushed, kept as files named by digest, candidate -> active -> retired.
// The file is on disk before the record that names it. What runs on the sidecars is publish.ts's business.

import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../domain/clock.ts';
import { PicketError } from '../domain/errors.ts';
import { type Bundle, parseBundle } from '../wasm-core/host/bundle.ts';
import type { TrustedKey } from '../wasm-core/host/container.ts';
import { canonicalJson } from '../wasm-core/host/encode-sections.ts';
import { CONTROL_LIMITS } from './limits.ts';
import type { ModelRecord, ModelStore } from './store/store.ts';

export interface RegistryOptions {
  readonly dir: string;
  readonly store: ModelStore;
  readonly clock: Clock;
  readonly requireSigned: boolean;
  readonly trustedKeys: readonly TrustedKey[];
}

const DIGEST = /^[0-9a-f]{64}$/;
const PREFIX = /^[0-9a-f]{8,64}$/;

export class Registry {
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /**
   * Checks a bundle file and stores it as candidate. A file that is stored already is left as it is (`known`).
   * Throws BUNDLE_*: damaged, unsigned where signing is required, not trusted, too large.
   */
  async push(bytes: Uint8Array, actor: string): Promise<{ model: ModelRecord; known: boolean }> {
    const { requireSigned, trustedKeys, store, clock } = this.#options;
    const bundle = parseBundle(bytes, { requireSigned, trustedKeys });
    const digest = createHash('sha256').update(bytes).digest('hex');
    await this.#write(digest, bytes);
    const added = await store.add({
      digest,
      bundleId: bundle.id,
      sizeBytes: bytes.length,
      manifest: canonicalJson(bundle.manifest),
      signedBy: bundle.signedBy ?? '',
      pushedMs: clock.nowMs(),
      pushedBy: actor,
    });
    return { model: await this.find(digest), known: !added };
  }

  /** One model by digest, bundle id, or the beginning of one. NOT_FOUND or DATA_INVALID if it names none or several. */
  async find(name: string): Promise<ModelRecord> {
    if (!PREFIX.test(name)) {
      throw new PicketError(
        'DATA_INVALID',
        'a model is named by 8 to 64 hex digits of its digest or bundle id',
      );
    }
    const found = await this.#options.store.find(name);
    const exact = found.find((model) => model.digest === name);
    const [only, ...others] = exact === undefined ? found : [exact];
    if (only === undefined) {
      throw new PicketError('NOT_FOUND', `no model is named ${name}`, { hint: 'see: picket ctl model list' });
    }
    if (others.length === 0) return only;
    throw new PicketError('DATA_INVALID', `several models begin with ${name}`, { hint: 'give more digits' });
  }

  list(limit: number): Promise<readonly ModelRecord[]> {
    return this.#options.store.list(limit);
  }

  active(): Promise<ModelRecord | null> {
    return this.#options.store.active();
  }

  /** A stored bundle, parsed by today's checks. Throws BUNDLE_* or NOT_FOUND. */
  async bundleOf(model: ModelRecord): Promise<Bundle> {
    const { requireSigned, trustedKeys } = this.#options;
    return parseBundle(await this.#read(model), { requireSigned, trustedKeys });
  }

  /** Makes a model the active one. It must still be readable and pass today's checks: keys may have been withdrawn. */
  async activate(name: string, actor: string): Promise<ModelRecord> {
    const model = await this.find(name);
    const { store, clock } = this.#options;
    await this.bundleOf(model);
    return store.activate(model.digest, actor, clock.nowMs());
  }

  /** Makes the model that was active before the active one. NOT_FOUND if there was none. */
  async rollback(actor: string): Promise<ModelRecord> {
    const previous = await this.#options.store.previous();
    if (previous !== null) return this.activate(previous.digest, actor);
    throw new PicketError('NOT_FOUND', 'there is no model to go back to', {
      hint: 'activate one with: picket ctl model activate DIGEST',
    });
  }

  /** The file of a digest from `offset` on, in chunks. NOT_FOUND for an unknown digest, DATA_INVALID for a bad offset. */
  async *chunks(
    digest: string,
    offset: number,
  ): AsyncGenerator<{ offset: number; data: Buffer; sizeBytes: number }> {
    if (!DIGEST.test(digest)) throw new PicketError('DATA_INVALID', 'a digest is 64 lower-case hex digits');
    const file = await open(this.#path(digest), 'r').catch(() => null);
    if (file === null) throw new PicketError('NOT_FOUND', `no model has the digest ${digest}`);
    try {
      const { size } = await file.stat();
      if (offset > size)
        throw new PicketError('DATA_INVALID', `offset ${offset} is beyond the ${size} bytes`);
      for (let at = offset; at < size; ) {
        const data = Buffer.allocUnsafe(Math.min(CONTROL_LIMITS.bundleChunkBytes, size - at));
        const { bytesRead } = await file.read(data, 0, data.length, at);
        if (bytesRead === 0) return;
        yield { offset: at, data: data.subarray(0, bytesRead), sizeBytes: size };
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
  }

  async #read(model: ModelRecord): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    for await (const { data } of this.chunks(model.digest, 0)) parts.push(data);
    const bytes = Buffer.concat(parts);
    if (createHash('sha256').update(bytes).digest('hex') === model.digest) return bytes;
    throw new PicketError('BUNDLE_CORRUPT', `the stored file of ${model.digest} is damaged`, {
      hint: 'push the file again',
    });
  }

  /** Whole and on disk, or not there at all. A damaged file of the same name is replaced. */
  async #write(digest: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#options.dir, { recursive: true, mode: 0o700 });
    const path = this.#path(digest);
    const scratch = `${path}.${process.pid}-${performance.now()}`;
    try {
      const file = await open(scratch, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(scratch, path);
      const folder = await open(this.#options.dir, 'r');
      await folder.sync().finally(() => folder.close());
    } catch (thrown) {
      await rm(scratch, { force: true });
      throw PicketError.from(thrown, 'STORE_FAILED');
    }
  }

  #path(digest: string): string {
    return join(this.#options.dir, `${digest}.bundle`);
  }
}
