// What the whole workload remembers of objects: which (identity, object) pairs it saw within a day, and who asked last for an
// object. Two fixed tables; what they forget or mix up is stated beside each. Called by objects.ts.

import { mix32 } from './sketch.ts';

const BLOCK_WORDS = 8;
const PROBES = 3;

/**
 * Bloom filter in two daily slices, one block of 256 bits per pair (one cache line), 3 bits per pair. It never forgets a pair
 * within its slices; it takes a new pair for a seen one in about 2 % of cases at 200,000 pairs and 2^21 bits a slice, more
 * when fuller. Slices are wall-aligned days.
 */
export class SeenPairs {
  readonly bytes: number;
  readonly #blockMask: number;
  /** Of each block the even days, then the odd ones: side by side, so that one look at memory finds both. */
  readonly #words: Uint32Array;
  #slice = 0;

  /** @param bits of one slice, a power of two of at least 256. */
  constructor(bits = 2 ** 21) {
    if (bits < 256 || 2 ** Math.floor(Math.log2(bits)) !== bits)
      throw new RangeError(`bits must be a power of two of at least 256, not ${bits}`);
    this.#blockMask = bits / 32 / BLOCK_WORDS - 1;
    this.#words = new Uint32Array((this.#blockMask + 1) * BLOCK_WORDS * 2);
    this.bytes = this.#words.byteLength;
  }

  /** Was the pair seen in this or the previous day? Marks it. `a` and `b` are 32-bit hashes, `slice` the day's number. */
  seenBefore(a: number, b: number, slice: number): boolean {
    if (slice > this.#slice) this.#roll(slice);
    const pair = mix32(a ^ Math.imul(b, 0x9e3779b1));
    const words = this.#words;
    let probe = mix32(pair ^ 0x51ed270b ^ a) | 0;
    const first = (pair & this.#blockMask) * BLOCK_WORDS * 2;
    const current = first + (slice & 1) * BLOCK_WORDS;
    const previous = first + (1 - (slice & 1)) * BLOCK_WORDS - current;
    let seen = true;
    for (let i = 0; i < PROBES; i++) {
      const word = current + ((probe >>> 5) & (BLOCK_WORDS - 1));
      const bit = 1 << (probe & 31);
      if (((words[word]! | words[word + previous]!) & bit) === 0) seen = false;
      words[word] = words[word]! | bit;
      probe >>>= 8;
    }
    return seen;
  }

  #roll(slice: number): void {
    const words = this.#words;
    if (slice - this.#slice > 1) words.fill(0);
    for (let at = (slice & 1) * BLOCK_WORDS; at < words.length; at += BLOCK_WORDS * 2)
      for (let i = at; i < at + BLOCK_WORDS; i++) words[i] = 0;
    this.#slice = slice;
  }
}

/**
 * Who asked last for each object. One place per object by its hash: another object with the same place takes it over, and
 * the first one is then unknown, which reads as "not by another".
 */
export class LastUsers {
  readonly bytes: number;
  readonly #mask: number;
  /** Pairs of object and user. */
  readonly #places: Uint32Array;

  /** @param places a power of two. */
  constructor(places = 2 ** 16) {
    if (places < 1 || (places & (places - 1)) !== 0)
      throw new RangeError(`places must be a power of two, not ${places}`);
    this.#mask = places - 1;
    this.#places = new Uint32Array(places * 2);
    this.bytes = this.#places.byteLength;
  }

  /** Was `object` last asked for by another than `user`? Notes the user. Both are 32-bit hashes, the user's never 0. */
  byAnother(object: number, user: number): boolean {
    const places = this.#places;
    const at = (mix32(object) & this.#mask) * 2;
    const last = places[at + 1]!;
    const other = last !== 0 && places[at] === object >>> 0 && last !== user >>> 0;
    places[at] = object;
    places[at + 1] = user;
    return other;
  }
}
