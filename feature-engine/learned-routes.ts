// Templates learned from traffic: which words are known under which prefix, and where a position holds so many that new ones are
// parameters. Bounded; the origin's good answers teach, so scanners of paths that are not there teach nothing.
// Learned templates serve features and metrics only, never policy. Called by routes.ts when its cache misses.

import { LIMITS } from '../domain/limits.ts';
import { hashParameter, hashWord, looksLikeParameter, ROOT_HASH } from './route-template.ts';

/** Distinct words behind one prefix that are told apart. */
export const WORDS_MAX = 48;
/** Deeper paths are guessed and never learned. */
const DEPTH_MAX = 32;
const PREFIXES_PER_TEMPLATE = 8;
const REST = '/{rest}';
const ID = '/{id}';
const FORMAT = 1;
export const OTHER_ROUTE = 'other';

/** A template on the way to being known. */
export interface Lesson {
  readonly template: number;
  readonly text: string;
  /** Hash of the prefix up to and with each segment. */
  readonly steps: Int32Array;
  /** 1 = the segment is a word, 0 = a parameter. */
  readonly words: Uint8Array;
}

/**
 * A prefix is known by its hash. It counts the distinct words seen behind it, exactly, up to WORDS_MAX; with one more it is
 * split, once and for good: words known before keep their templates, every other one is `{id}`. So:
 * - the hash of a template never changes, and that of a request changes at most once per prefix on its path, at the split;
 * - a full table changes no hash: what is not known is guessed from the bytes alone, as in an empty table;
 * - the error: the first WORDS_MAX values of a position that holds names of things keep templates of their own.
 */
export class LearnedRoutes {
  /** Goes up with every template or split that is learned: what was resolved before may be stale, and worth saving. */
  changes = 0;
  /** Hash of the template of the last `resolve`. */
  template = 0;
  readonly #templatesMax: number;
  readonly #prefixesMax: number;
  readonly #guessesMax: number;
  /** Prefix -> distinct words behind it; WORDS_MAX + 1 = split. */
  readonly #prefixes = new Map<number, number>([[ROOT_HASH, 0]]);
  /** Template -> its text. */
  readonly #names = new Map<number, string>();
  /** Texts of templates that no good answer has come for yet. */
  readonly #guesses = new Map<number, string>();
  readonly #steps = new Int32Array(DEPTH_MAX);
  readonly #words = new Uint8Array(DEPTH_MAX);
  readonly #ends = new Uint32Array(DEPTH_MAX);
  #depth = 0;

  constructor(templatesMax: number = LIMITS.learnedRoutesMax) {
    this.#templatesMax = templatesMax;
    this.#prefixesMax = templatesMax * PREFIXES_PER_TEMPLATE;
    this.#guessesMax = Math.ceil(templatesMax / 4);
  }

  /** Number of learned templates. */
  get count(): number {
    return this.#names.size;
  }

  /** Number of prefixes, the root included. */
  get prefixCount(): number {
    return this.#prefixes.size;
  }

  /** Finds the template of the path bytes[start, end); leaves its hash in `template`. */
  resolve(bytes: Uint8Array, start: number, end: number): void {
    let hash = ROOT_HASH;
    let at = start;
    let depth = 0;
    while (at < end) {
      const from = bytes[at] === 0x2f ? at + 1 : at;
      let to = from;
      while (to < end && bytes[to] !== 0x2f) to++;
      let isWord = !looksLikeParameter(bytes, from, to);
      const word = isWord ? hashWord(hash, bytes, from, to) : 0;
      if (isWord && from < to && this.#isSplit(hash) && !this.#prefixes.has(word)) isWord = false;
      hash = isWord ? word : hashParameter(hash);
      if (depth < DEPTH_MAX) {
        this.#steps[depth] = hash;
        this.#words[depth] = isWord ? 1 : 0;
        this.#ends[depth] = to;
      }
      depth++;
      at = to;
    }
    this.#depth = depth;
    this.template = hash;
  }

  /** Text of the template just resolved, at most LIMITS.eventRouteMaxBytes; `other` if it is not known and there are enough. */
  text(bytes: Uint8Array, start: number): string {
    const known = this.#names.get(this.template) ?? this.#guesses.get(this.template);
    if (known !== undefined) return known;
    if (this.#names.size >= this.#templatesMax || this.#guesses.size >= this.#guessesMax) return OTHER_ROUTE;
    const text = this.#write(bytes, start);
    this.#guesses.set(this.template, text);
    return text;
  }

  /** What a good answer to the request just resolved would teach; null if it is known or too deep. */
  lesson(bytes: Uint8Array, start: number): Lesson | null {
    const depth = this.#depth;
    if (depth > DEPTH_MAX || this.#isKnown(this.template)) return null;
    return {
      template: this.template,
      text: this.#write(bytes, start),
      steps: this.#steps.slice(0, depth),
      words: this.#words.slice(0, depth),
    };
  }

  /** Takes a template in, or splits the prefix where its word is one too many. True if anything changed. */
  learn({ template, text, steps, words }: Lesson): boolean {
    if (this.#isKnown(template)) return false;
    let prefix = ROOT_HASH;
    for (let i = 0; i < steps.length; i++) {
      const next = steps[i]!;
      if (!this.#prefixes.has(next)) {
        if (this.#prefixes.size >= this.#prefixesMax) return false;
        const count = this.#prefixes.get(prefix)!;
        if (words[i] === 1) {
          if (count > WORDS_MAX) return false;
          this.#prefixes.set(prefix, count + 1);
          if (count === WORDS_MAX) {
            this.changes++;
            return true;
          }
        }
        this.#prefixes.set(next, 0);
      }
      prefix = next;
    }
    if (this.#names.size < this.#templatesMax) this.#names.set(template, text);
    this.#guesses.delete(template);
    this.changes++;
    return true;
  }

  /** All that was learned, as JSON. Whoever writes it to disk adds a checksum. */
  save(): string {
    return JSON.stringify({
      format: FORMAT,
      words_max: WORDS_MAX,
      prefixes: [...this.#prefixes],
      templates: [...this.#names],
    });
  }

  /** Takes back what `save` gave, into an empty table. Returns why it cannot; nothing is changed then. Never throws. */
  restore(text: string): string | null {
    const read = readSaved(text);
    if (typeof read === 'string') return read;
    if (read.templates.length > this.#templatesMax || read.prefixes.length > this.#prefixesMax)
      return 'it holds more than this table takes';
    this.#prefixes.clear();
    this.#prefixes.set(ROOT_HASH, 0);
    for (const [hash, words] of read.prefixes) this.#prefixes.set(hash, words);
    this.#names.clear();
    for (const [hash, name] of read.templates) this.#names.set(hash, name);
    return null;
  }

  /** Once there are enough names, positions are still counted and split. */
  #isKnown(template: number): boolean {
    if (this.#names.has(template)) return true;
    return this.#names.size >= this.#templatesMax && this.#prefixes.has(template);
  }

  #isSplit(prefix: number): boolean {
    return (this.#prefixes.get(prefix) ?? 0) > WORDS_MAX;
  }

  #write(bytes: Uint8Array, start: number): string {
    let text = '';
    let at = start;
    for (let i = 0; i < Math.min(this.#depth, DEPTH_MAX); i++) {
      const end = this.#ends[i]!;
      const from = bytes[at] === 0x2f ? at + 1 : at;
      const length = this.#words[i] === 1 ? end - from + 1 : ID.length;
      if (text.length + length + REST.length > LIMITS.eventRouteMaxBytes) return text + REST;
      text += this.#words[i] === 1 ? `/${latin1(bytes, from, end)}` : ID;
      at = end;
    }
    if (this.#depth > DEPTH_MAX) return text + REST;
    return text === '' ? '/' : text;
  }
}

interface Saved {
  readonly prefixes: readonly (readonly [number, number])[];
  readonly templates: readonly (readonly [number, string])[];
}

function readSaved(text: string): Saved | string {
  let value: Partial<Record<'format' | 'words_max' | 'prefixes' | 'templates', unknown>> | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return 'it is not JSON';
  }
  if (value?.format !== FORMAT || value.words_max !== WORDS_MAX) return 'it is of another version';
  const { prefixes, templates } = value;
  const isHash = (hash: unknown): boolean =>
    Number.isInteger(hash) && (hash as number) === ((hash as number) | 0);
  const arePairs = (list: unknown, isSecond: (second: unknown) => boolean): boolean =>
    Array.isArray(list) &&
    list.every((one) => Array.isArray(one) && one.length === 2 && isHash(one[0]) && isSecond(one[1]));
  const isCount = (count: unknown): boolean =>
    Number.isInteger(count) && (count as number) >= 0 && (count as number) <= WORDS_MAX + 1;
  const isName = (name: unknown): boolean =>
    typeof name === 'string' && name.startsWith('/') && name.length <= LIMITS.eventRouteMaxBytes;
  if (!arePairs(prefixes, isCount) || !arePairs(templates, isName))
    return 'its content is not what is written there';
  return { prefixes, templates } as Saved;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
