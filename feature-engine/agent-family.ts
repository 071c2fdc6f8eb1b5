// The family of a user agent: its product names without versions and numbers, as one hash, so that an update of a browser does
// not make it a new client. Linear in the bytes, allocates nothing; a small cache by the agent's hash saves the reading.
// Called by the engine once per request, for sequence.ts.

import { mix32 } from './sketch.ts';

/** Longer agents count by their beginning. */
const BYTES_MAX = 256;
const FNV_PRIME = 0x01000193;

const CACHE_SLOTS = 1024;

/** Families by the hash of the whole agent: one place per hash, the last one stays. */
export class AgentFamilies {
  readonly bytes = CACHE_SLOTS * 8;
  readonly #cache = new Uint32Array(CACHE_SLOTS * 2);

  /** Family of the agent bytes[start, end), whose 32-bit hash is `agent`; 0 for agent 0 (none). */
  of(agent: number, bytes: Uint8Array, start: number, end: number): number {
    if (agent === 0) return 0;
    const place = (agent & (CACHE_SLOTS - 1)) * 2;
    if (this.#cache[place] === agent >>> 0) return this.#cache[place + 1]!;
    const family = agentFamily(bytes, start, end);
    this.#cache[place] = agent;
    this.#cache[place + 1] = family;
    return family;
  }
}

/** 32 bits of bytes[start, end) with digits, "." and "_" left out and letters in lower case; never 0. */
export function agentFamily(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  const last = Math.min(end, start + BYTES_MAX);
  for (let i = start; i < last; i++) {
    const byte = bytes[i]!;
    if ((byte >= 0x30 && byte <= 0x39) || byte === 0x2e || byte === 0x5f) continue;
    hash = Math.imul(hash ^ (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte), FNV_PRIME);
  }
  const mixed = mix32(hash);
  return mixed === 0 ? 1 : mixed;
}
