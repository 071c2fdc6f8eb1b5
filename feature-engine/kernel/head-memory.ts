// The request head in the engine's memory, where the head kernels read it: room for its bytes, the ends of its fields and a body
// prefix; the kernels' caches and word lists; and the facts of one head in the struct of the request at hand. A head that lies
// elsewhere (offline runs, tests) is copied. One per engine; called by the engine, its view by whoever parses heads.

import { HEAD_VIEW_BYTES, HEAD_VIEW_ENDS, HeadView } from '../../domain/head-view.ts';
import { LEXICON_WORDS, PLAIN_HEADERS } from '../lexicon.ts';
import { HASHER_BYTES, HeadHasher } from './head-hasher.ts';
import { HEAD_CALL } from './head-kernels.ts';
import type { EngineMemory } from './memory.ts';

/** Longer body prefixes are read up to here. */
export const BODY_PREFIX_MAX_BYTES = 16_384;
/** Kernels load up to 23 bytes over the end of a text. */
const PAD_BYTES = 64;
/** Caches of targets and values, scratch: what headRegionBytes() of the kernels says. */
const KERNEL_BYTES = 237_952;
const HEAD_ROOM_BYTES = HEAD_VIEW_BYTES + PAD_BYTES;
const BODY_ROOM_BYTES = BODY_PREFIX_MAX_BYTES + PAD_BYTES;

/** What a HeadMemory takes of the engine's memory, each region rounded up to 64 bytes. */
export const HEAD_MEMORY_BYTES =
  HEAD_ROOM_BYTES + HEAD_VIEW_ENDS * 4 + BODY_ROOM_BYTES + KERNEL_BYTES + 2 * HASHER_BYTES + 4 * 64;

export interface HeadPlaces {
  /** Key of the hashes. */
  readonly seed: number;
  /** First places of the groups in the vector. */
  readonly request: number;
  readonly lexical: number;
  readonly body: number;
}

const W = {
  method: HEAD_CALL.method / 4,
  headAt: HEAD_CALL.headAt / 4,
  endsAt: HEAD_CALL.endsAt / 4,
  targetStart: HEAD_CALL.targetStart / 4,
  pathEnd: HEAD_CALL.pathEnd / 4,
  targetEnd: HEAD_CALL.targetEnd / 4,
  fieldCount: HEAD_CALL.fieldCount / 4,
  fieldBytes: HEAD_CALL.fieldBytes / 4,
  agentField: HEAD_CALL.agentField / 4,
  bodyBytes: HEAD_CALL.bodyBytes / 4,
} as const;

export class HeadMemory {
  /** A view whose bytes and ends lie in the engine's memory: heads that are parsed into it are not copied. */
  readonly view: HeadView;
  /** Where the kernels find the bytes of `view`. */
  readonly headAt: number;
  /** Hashes bytes of `view` under the key in force, and under the one before a rotation. */
  readonly hasher: HeadHasher;
  readonly formerHasher: HeadHasher;
  readonly #memory: EngineMemory;
  readonly #words: Uint32Array;
  readonly #call: number;
  readonly #contentLength: number;
  readonly #endsAt: number;
  readonly #bodyAt: number;

  constructor(memory: EngineMemory, places: HeadPlaces) {
    const { kernels } = memory;
    this.#memory = memory;
    this.#words = memory.words;
    this.#call = kernels.callAt.value / 4;
    this.#contentLength = (kernels.callAt.value + HEAD_CALL.contentLength) / 8;
    this.headAt = memory.take(HEAD_ROOM_BYTES);
    this.hasher = new HeadHasher(memory, this.headAt);
    this.formerHasher = new HeadHasher(memory, this.headAt);
    this.#endsAt = memory.take(HEAD_VIEW_ENDS * 4);
    this.#bodyAt = memory.take(BODY_ROOM_BYTES);
    if (kernels.headRegionBytes() !== KERNEL_BYTES)
      throw new RangeError(`the head kernels want ${kernels.headRegionBytes()} bytes, not ${KERNEL_BYTES}`);
    const region = memory.take(KERNEL_BYTES);
    kernels.configureHead(region, places.seed, places.request, places.lexical, places.body);
    this.#words[this.#call + HEAD_CALL.bodyAt / 4] = this.#bodyAt;
    this.view = new HeadView(
      new Uint8Array(memory.buffer, this.headAt, HEAD_VIEW_BYTES),
      new Uint32Array(memory.buffer, this.#endsAt, HEAD_VIEW_ENDS),
    );
    for (const word of LEXICON_WORDS) this.#tell(word, kernels.addLexiconWord);
    for (const name of PLAIN_HEADERS) this.#tell(name, kernels.addPlainName);
  }

  /** Writes the facts of a head into the struct; copies a head that is not `view`. */
  take(head: HeadView): void {
    const words = this.#words;
    const call = this.#call;
    if (head !== this.view) this.#copy(head);
    words[call + W.method] = head.method;
    words[call + W.headAt] = this.headAt;
    words[call + W.endsAt] = this.#endsAt;
    words[call + W.targetStart] = head.targetStart;
    words[call + W.pathEnd] = head.pathEnd;
    words[call + W.targetEnd] = head.targetEnd;
    words[call + W.fieldCount] = head.fieldCount;
    words[call + W.fieldBytes] = head.fieldBytes;
    words[call + W.agentField] = head.userAgentField;
    this.#memory.doubles[this.#contentLength] = head.contentLength;
  }

  /** Gives the first bytes of a body, of which at most BODY_PREFIX_MAX_BYTES are read; none: null. */
  takeBody(prefix: Uint8Array | null): void {
    const bytes = prefix === null ? 0 : Math.min(prefix.length, BODY_PREFIX_MAX_BYTES);
    if (prefix !== null)
      this.#memory.bytes.set(bytes < prefix.length ? prefix.subarray(0, bytes) : prefix, this.#bodyAt);
    this.#words[this.#call + W.bodyBytes] = bytes;
  }

  /** The last head's normalised target differs: dot segments, "//", encoded slash, ";". After it was read. */
  get rewritten(): boolean {
    return this.#words[this.#call + HEAD_CALL.rewritten / 4] === 1;
  }

  /** Plain loops: a view of its own for each head would be garbage. */
  #copy(head: HeadView): void {
    const { bytes, words } = this.#memory;
    const { headAt } = this;
    const from = head.bytes;
    const fields = 2 * head.fieldCount;
    const end = fields === 0 ? head.targetEnd : head.ends[fields - 1]!;
    if (end > HEAD_VIEW_BYTES) throw new RangeError(`a head of ${end} bytes, over ${HEAD_VIEW_BYTES}`);
    for (let i = 0; i < end; i++) bytes[headAt + i] = from[i]!;
    const ends = this.#endsAt / 4;
    for (let i = 0; i < fields; i++) words[ends + i] = head.ends[i]!;
  }

  #tell(word: string, add: (at: number, end: number) => number): void {
    for (let i = 0; i < word.length; i++) this.#memory.bytes[this.headAt + i] = word.charCodeAt(i);
    if (add(this.headAt, this.headAt + word.length) !== 1)
      throw new RangeError(`no room for the word ${word}`);
  }
}
