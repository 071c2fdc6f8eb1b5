// Lexical kernels over the head's bytes: entropy, classes of bytes, delimiters, keywords, depth of percent-encoding. Linear in
// the bytes whatever they are: decoding happens in one pass, a byte of three "%25" layers costs three steps. Allocates nothing.
// One object per thread; judges nothing. Called by the engine once per request.

import type { HeadView } from '../domain/head-view.ts';
import { isKeyword, wordBasis, wordStep } from './lexicon.ts';
import { putMissing } from './missing.ts';
import { ValueCache } from './value-cache.ts';

const DEPTH_MAX = 3;
const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const UNDERSCORE = 0x5f;

const LETTER = 1;
const UPPER = 2;
const DIGIT = 3;
const SYMBOL = 4;
const HIGH = 5;
const CLASS = new Uint8Array(256).fill(HIGH);
for (let byte = 0x20; byte < 0x7f; byte++) CLASS[byte] = SYMBOL;
for (let byte = 0x30; byte <= 0x39; byte++) CLASS[byte] = DIGIT;
for (let byte = 0x41; byte <= 0x5a; byte++) CLASS[byte] = UPPER;
for (let byte = 0x61; byte <= 0x7a; byte++) CLASS[byte] = LETTER;
const IS_DELIMITER = new Uint8Array(256);
for (const char of '\'";<>()|`\x24{}\\') IS_DELIMITER[char.charCodeAt(0)] = 1;
const HEX = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) {
  HEX['0123456789abcdef'.charCodeAt(i)] = i;
  HEX['0123456789ABCDEF'.charCodeAt(i)] = i;
}

/** n * log2(n) of small counts; entropy needs nothing else. */
const N_LOG_N = Float64Array.from({ length: 1025 }, (_, n) => (n === 0 ? 0 : n * Math.log2(n)));

/** Headers that are part of every request and say nothing of its text, by length and first letters. */
const PLAIN_HEADERS = [
  'host connection content-length transfer-encoding date authorization x-api-key',
  'traceparent tracestate x-request-id te upgrade keep-alive',
  'if-none-match if-modified-since sec-websocket-key range',
]
  .join(' ')
  .split(' ')
  .map((name) => Uint8Array.from(name, (char) => char.charCodeAt(0)));
/** Plain headers by the length of their name. */
const PLAIN_BY_LENGTH = Array.from({ length: 32 }, (_, length) =>
  PLAIN_HEADERS.filter((name) => name.length === length),
);

/** Features of one text. */
const TEXT_FEATURES = 8;
const DELIMITERS = 5;
const KEYWORDS = 6;
/** What is kept of a text besides. */
const TRAVERSALS = TEXT_FEATURES;
const LONGEST = TEXT_FEATURES + 1;
/** Places that `write` fills. */
export const LEXICAL_FEATURES_COUNT = 2 * TEXT_FEATURES + 2;

export class Lexical {
  readonly #histogram = new Uint32Array(256);
  /** Distinct byte values of the text so far, so that clearing and summing cost no more than the text. */
  readonly #distinct = new Uint8Array(256);
  readonly #values = new ValueCache(TEXT_FEATURES + 1);
  readonly #targets = new ValueCache(TEXT_FEATURES + 2);
  readonly #byClass = new Uint32Array(HIGH + 1);
  #distinctCount = 0;
  #length = 0;
  #keywords = 0;
  #depth = 0;
  #traversals = 0;
  #longest = 0;
  // The decoded byte that #next read, and how many bytes it stood for.
  #byte = 0;
  #taken = 0;

  get bytes(): number {
    return this.#values.bytes + this.#targets.bytes + this.#histogram.byteLength;
  }

  /** Reads the head and writes the 18 features from out[place]; order of domain/features-lexical.ts. */
  write(head: HeadView, out: Float64Array, place: number): void {
    const { bytes } = head;
    const targets = this.#targets;
    const target = targets.place(bytes, head.targetStart, head.targetEnd);
    if (!targets.known) {
      this.#begin();
      this.#read(bytes, head.targetStart, head.targetEnd);
      this.#finish(targets.numbers, target);
      targets.numbers[target + LONGEST] = this.#longest;
      targets.numbers[target + TRAVERSALS] = this.#traversals;
    }
    for (let i = 0; i < TEXT_FEATURES; i++) out[place + i] = targets.numbers[target + i]!;
    out[place + 2 * TEXT_FEATURES] = targets.numbers[target + LONGEST]!;
    let traversals = targets.numbers[target + TRAVERSALS]!;
    const headers = place + TEXT_FEATURES;
    putMissing(out, headers, headers + TEXT_FEATURES);
    for (let field = 0, start = head.targetEnd; field < head.fieldCount; field++) {
      const nameEnd = head.valueStart(field);
      const end = head.valueEnd(field);
      if (end > nameEnd && !isPlain(bytes, start, nameEnd)) {
        const kept = this.#values.place(bytes, nameEnd, end);
        if (!this.#values.known) {
          this.#begin();
          this.#read(bytes, nameEnd, end);
          this.#finish(this.#values.numbers, kept);
          this.#values.numbers[kept + TRAVERSALS] = this.#traversals;
        }
        join(this.#values.numbers, kept, out, headers);
        traversals += this.#values.numbers[kept + TRAVERSALS]!;
      }
      start = end;
    }
    out[place + 2 * TEXT_FEATURES + 1] = traversals;
  }

  #begin(): void {
    for (let i = 0; i < this.#distinctCount; i++) this.#histogram[this.#distinct[i]!] = 0;
    this.#distinctCount = 0;
    this.#length = 0;
    this.#keywords = 0;
    this.#depth = 0;
    this.#longest = 0;
    this.#traversals = 0;
  }

  /** Takes in one text; words do not join over its ends. Plain loops over locals: this is most of the cost. */
  #read(bytes: Uint8Array, start: number, end: number): void {
    const histogram = this.#histogram;
    let word = wordBasis;
    let inWord = false;
    let token = 0;
    let longest = this.#longest;
    let length = 0;
    let before = 0;
    let beforeThat = 0;
    for (let at = start; at < end; length++) {
      let byte = bytes[at++]!;
      if (byte === PERCENT) {
        this.#next(bytes, at - 1, end);
        byte = this.#byte;
        at += this.#taken - 1;
      }
      const seen = histogram[byte]!;
      histogram[byte] = seen + 1;
      if (seen === 0) this.#distinct[this.#distinctCount++] = byte;
      const kind = CLASS[byte]!;
      if (kind <= UPPER) {
        word = wordStep(word, byte | 0x20);
        inWord = true;
        token++;
      } else {
        if (byte === UNDERSCORE) {
          word = wordStep(word, byte);
          inWord = true;
        } else if (inWord) {
          if (isKeyword(word)) this.#keywords++;
          word = wordBasis;
          inWord = false;
        }
        if (kind === DIGIT) token++;
        else {
          if (token > longest) longest = token;
          token = 0;
          if ((byte === SLASH || byte === BACKSLASH) && before === DOT && beforeThat === DOT)
            this.#traversals++;
        }
      }
      beforeThat = before;
      before = byte;
    }
    if (inWord && isKeyword(word)) this.#keywords++;
    this.#longest = Math.max(longest, token);
    this.#length += length;
  }

  /** Decodes at a "%": "%41", "%2541" and "%252541" are all "A", in 3, 5 and 7 bytes; a stray "%" is itself. */
  #next(bytes: Uint8Array, at: number, end: number): void {
    let byte = PERCENT;
    let taken = 1;
    for (let depth = 1; depth <= DEPTH_MAX; depth++) {
      if (at + taken + 1 >= end) break;
      const high = HEX[bytes[at + taken]!]!;
      const low = HEX[bytes[at + taken + 1]!]!;
      if (high > 15 || low > 15) break;
      byte = high * 16 + low;
      taken += 2;
      if (depth > this.#depth) this.#depth = depth;
      if (byte !== PERCENT) break;
    }
    this.#byte = byte;
    this.#taken = taken;
  }

  /** Entropy and shares from the histogram: over its distinct bytes, not over the text. */
  #finish(out: Float64Array, place: number): void {
    const length = this.#length;
    const byClass = this.#byClass;
    for (let kind = 0; kind <= HIGH; kind++) byClass[kind] = 0;
    let sum = 0;
    let delimiters = 0;
    for (let i = 0; i < this.#distinctCount; i++) {
      const byte = this.#distinct[i]!;
      const n = this.#histogram[byte]!;
      byClass[CLASS[byte]!] = byClass[CLASS[byte]!]! + n;
      if (IS_DELIMITER[byte] === 1) delimiters += n;
      sum += n < N_LOG_N.length ? N_LOG_N[n]! : n * Math.log2(n);
    }
    const per = length === 0 ? 0 : 1 / length;
    const whole = length === 0 ? 0 : length < N_LOG_N.length ? N_LOG_N[length]! : length * Math.log2(length);
    out[place] = Math.fround(Math.max(0, (whole - sum) * per));
    out[place + 1] = Math.fround(byClass[DIGIT]! * per);
    out[place + 2] = Math.fround(byClass[UPPER]! * per);
    out[place + 3] = Math.fround(byClass[SYMBOL]! * per);
    out[place + 4] = Math.fround(byClass[HIGH]! * per);
    out[place + 5] = delimiters;
    out[place + 6] = this.#keywords;
    out[place + 7] = this.#depth;
  }
}

/** Joins the features of one value into those of all: shares and entropy are the largest of any value, counts are summed. */
function join(from: Float64Array, at: number, out: Float64Array, place: number): void {
  for (let i = 0; i < TEXT_FEATURES; i++) {
    const value = from[at + i]!;
    const all = out[place + i]!;
    if (Number.isNaN(all)) out[place + i] = value;
    else if (i === DELIMITERS || i === KEYWORDS) out[place + i] = all + value;
    else if (value > all) out[place + i] = value;
  }
}

/** Is the field name (any case) one that is left out? */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length >= PLAIN_BY_LENGTH.length) return false;
  for (const name of PLAIN_BY_LENGTH[length]!) {
    let i = 0;
    while (i < length && (bytes[start + i]! | 0x20) === (name[i]! | 0x20)) i++;
    if (i === length) return true;
  }
  return false;
}
