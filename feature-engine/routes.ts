// Path -> route: a template that the policy declares, else a learned one. Bounded: so many learned templates, then
// `other`; one cache of fixed size.
// Declared routes may steer policy and are compared exactly; learned ones serve features and metrics.
// `hash` never depends on how full the table is: features must not change with what else was seen.

import { type HeadView, METHOD_OTHER, METHODS } from '../domain/head-view.ts';
import { LIMITS } from '../domain/limits.ts';
import { matchesRoute, type RoutePattern } from '../domain/route-pattern.ts';
import { templateOf } from './route-template.ts';
import { hashBytes, mix32 } from './sketch.ts';

export interface Route {
  /** The template without method; `other` once LIMITS.learnedRoutesMax templates are known. */
  readonly text: string;
  /** 32 bits of method class and template: the same in every process. */
  readonly hash: number;
  /** Place in the list of declared routes, -1 for a learned one. */
  readonly declared: number;
}

export interface RouteTableOptions {
  /** The compiled policy's patterns, first match wins. */
  readonly declared?: readonly RoutePattern[];
  readonly learnedMax?: number;
}

const CACHE_SLOTS = 2048;
const CACHE_PATH_MAX_BYTES = 120;
/** Method class, length, then the path. */
const CACHE_SLOT_BYTES = CACHE_PATH_MAX_BYTES + 2;
export const OTHER_ROUTE = 'other';

export class RouteTable {
  readonly #declared: readonly RoutePattern[];
  readonly #declaredHashes: readonly number[];
  readonly #learnedMax: number;
  /** Template text -> the same text: one string object per template. */
  readonly #learned = new Map<string, string>();
  readonly #cacheBytes = new Uint8Array(CACHE_SLOTS * CACHE_SLOT_BYTES);
  readonly #cache: (Route | null)[] = new Array<Route | null>(CACHE_SLOTS).fill(null);

  constructor(options: RouteTableOptions = {}) {
    this.#declared = options.declared ?? [];
    this.#declaredHashes = this.#declared.map((pattern) => textHash(pattern.text));
    this.#learnedMax = options.learnedMax ?? LIMITS.learnedRoutesMax;
  }

  /** Number of learned templates. */
  get learnedCount(): number {
    return this.#learned.size;
  }

  /** The route of the head's method and path. Allocates only when the cache misses. */
  resolve(head: HeadView): Route {
    const { bytes, targetStart, pathEnd, method } = head;
    const length = pathEnd - targetStart;
    if (length > CACHE_PATH_MAX_BYTES || method === METHOD_OTHER) return this.#work(head);
    const slot = hashBytes(bytes, targetStart, pathEnd, method) % CACHE_SLOTS;
    const kept = this.#cache[slot]!;
    const at = slot * CACHE_SLOT_BYTES;
    if (kept !== null && this.#sameAt(at, head, length)) return kept;
    const route = this.#work(head);
    this.#cache[slot] = route;
    const cacheBytes = this.#cacheBytes;
    cacheBytes[at] = method;
    cacheBytes[at + 1] = length;
    for (let i = 0; i < length; i++) cacheBytes[at + 2 + i] = bytes[targetStart + i]!;
    return route;
  }

  #sameAt(at: number, head: HeadView, length: number): boolean {
    const cacheBytes = this.#cacheBytes;
    if (cacheBytes[at] !== head.method || cacheBytes[at + 1] !== length) return false;
    for (let i = 0; i < length; i++) {
      if (cacheBytes[at + 2 + i] !== head.bytes[head.targetStart + i]) return false;
    }
    return true;
  }

  #work(head: HeadView): Route {
    return this.#declared.length === 0 ? this.#learn(head) : (this.#declaredRoute(head) ?? this.#learn(head));
  }

  #declaredRoute(head: HeadView): Route | null {
    const method =
      head.method === METHOD_OTHER ? head.text(0, head.targetStart) : (METHODS[head.method] as string);
    const path = head.text(head.targetStart, head.pathEnd);
    const index = this.#declared.findIndex((pattern) => matchesRoute(pattern, method, path));
    if (index < 0) return null;
    const { text } = this.#declared[index]!;
    const hash = mix32(this.#declaredHashes[index]! ^ (head.method + 1));
    return { text: text.slice(text.indexOf(' ') + 1), hash, declared: index };
  }

  #learn(head: HeadView): Route {
    const template = templateOf(head.bytes, head.targetStart, head.pathEnd);
    const hash = mix32(template.hash ^ Math.imul(head.method + 1, 0x9e3779b1));
    return { text: this.#nameOf(template.text), hash, declared: -1 };
  }

  #nameOf(text: string): string {
    const known = this.#learned.get(text);
    if (known !== undefined) return known;
    if (this.#learned.size >= this.#learnedMax) return OTHER_ROUTE;
    this.#learned.set(text, text);
    return text;
  }
}

function textHash(text: string): number {
  const bytes = new TextEncoder().encode(text);
  return hashBytes(bytes, 0, bytes.length, 0);
}
