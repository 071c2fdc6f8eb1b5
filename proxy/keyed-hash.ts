// The keyed hash of one data thread: the identity key in force, and the former one while it is being rotated. Hashes bytes of the
// head in the feature engine's memory and other bytes in place; both give the same bits. Keys change between two requests.
// What was hashed once per connection notices a new key by its epoch. Called by client-address.ts and identify.ts.

import type { Hash128 } from '../domain/identity.ts';
import { sipHash128 } from '../domain/siphash.ts';

/** Hashes bytes of the head where they lie. */
export interface HeadHasher {
  setKey(key: Uint32Array): void;
  hash128(start: number, end: number, out: Uint32Array): void;
}

/** Bytes that are hashed once and asked for often: an address, a certificate's name. */
export interface KeyedBytes {
  readonly bytes: Uint8Array;
  readonly key: Hash128;
  readonly formerKey: Hash128;
  /** Epoch of the keys that made the two hashes. */
  epoch: number;
}

/** One for the key in force, one for the former: the feature engine has both. */
export interface HeadHashers {
  readonly hasher: HeadHasher;
  readonly formerHasher: HeadHasher;
}

export interface HashKeys {
  /** Four little-endian words. */
  readonly current: Uint32Array;
  /** Null while no rotation is under way. */
  readonly former: Uint32Array | null;
  /** Names `current` in events; 0 = unnamed. */
  readonly keyId: number;
}

export class KeyedHash {
  readonly #head: HeadHashers;
  #keys: HashKeys;
  #epoch = 0;

  constructor(head: HeadHashers, keys: HashKeys) {
    this.#head = head;
    this.#keys = keys;
    this.setKeys(keys);
  }

  /** Between two requests only. */
  setKeys(keys: HashKeys): void {
    this.#keys = keys;
    this.#epoch++;
    this.#head.hasher.setKey(keys.current);
    if (keys.former !== null) this.#head.formerHasher.setKey(keys.former);
  }

  get keyId(): number {
    return this.#keys.keyId;
  }

  /** A former key is in use: every hash is made twice. */
  get rotating(): boolean {
    return this.#keys.former !== null;
  }

  /** Hash of head bytes [start, end); with the former key too if `former` is given. */
  ofHead(start: number, end: number, out: Hash128, former: Hash128 | null): void {
    if (former !== null && this.#keys.former !== null) this.#head.formerHasher.hash128(start, end, former);
    this.#head.hasher.hash128(start, end, out);
  }

  /** Hash of bytes [0, end) that lie elsewhere. */
  ofBytes(bytes: Uint8Array, end: number, out: Hash128, former: Hash128 | null): void {
    sipHash128(bytes, 0, end, this.#keys.current, out);
    if (former !== null && this.#keys.former !== null) sipHash128(bytes, 0, end, this.#keys.former, former);
  }

  keyed(bytes: Uint8Array): KeyedBytes {
    const made: KeyedBytes = { bytes, key: new Uint32Array(4), formerKey: new Uint32Array(4), epoch: 0 };
    this.refresh(made);
    return made;
  }

  /** Hashes again if the keys are other ones by now. */
  refresh(keyed: KeyedBytes): void {
    if (keyed.epoch === this.#epoch) return;
    this.ofBytes(keyed.bytes, keyed.bytes.length, keyed.key, keyed.formerKey);
    keyed.epoch = this.#epoch;
  }
}
