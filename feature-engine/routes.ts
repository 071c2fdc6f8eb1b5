// Path -> route: a template that policy or an OpenAPI document declares, else a learned one. Declared routes may steer policy;
// learned ones serve features and metrics. One cache of fixed size before both.
// `hash` never depends on how full a table is: features must not change with what else was seen (learned-routes.ts says where
// it changes once). Used by the pipeline, one per data thread, and by offline runs.

import { type HeadView, METHOD_OTHER, METHODS } from '../domain/head-view.ts';
import type { DeclaredPath } from '../domain/openapi.ts';
import type { RoutePattern } from '../domain/route-pattern.ts';
import { DeclaredRoutes } from './declared-routes.ts';
import { LearnedRoutes, type Lesson } from './learned-routes.ts';
import { routeHash } from './route-template.ts';
import { hashBytes } from './sketch.ts';

export { OTHER_ROUTE } from './learned-routes.ts';

export interface Route {
  /** The template without method; `other` if it is not known and enough others are. */
  readonly text: string;
  /** 32 bits of method class and template: the same in every process. */
  readonly hash: number;
  /** Place among the declared routes, the policy's first; -1 for a learned one and for a method that is not declared. */
  readonly declared: number;
  /** What a good answer would teach; null for what is known or declared. */
  readonly lesson: Lesson | null;
}

export interface Declared {
  /** The compiled policy's patterns, first match wins. */
  readonly patterns?: readonly RoutePattern[];
  /** The paths of an OpenAPI document. */
  readonly paths?: readonly DeclaredPath[];
}

export interface RouteTableOptions extends Declared {
  readonly learnedMax?: number;
}

const CACHE_SLOTS = 2048;
const CACHE_PATH_MAX_BYTES = 120;
/** Method class, length, then the path. */
const CACHE_SLOT_BYTES = CACHE_PATH_MAX_BYTES + 2;

export class RouteTable {
  readonly learned: LearnedRoutes;
  #declared: DeclaredRoutes;
  readonly #cacheBytes = new Uint8Array(CACHE_SLOTS * CACHE_SLOT_BYTES);
  readonly #cache: (Route | null)[] = new Array<Route | null>(CACHE_SLOTS).fill(null);

  constructor(options: RouteTableOptions = {}) {
    this.learned = new LearnedRoutes(options.learnedMax);
    this.#declared = new DeclaredRoutes(options.patterns ?? [], options.paths ?? []);
  }

  /** Puts other declared routes in place; what was learned stays. */
  declare(declared: Declared): void {
    this.#declared = new DeclaredRoutes(declared.patterns ?? [], declared.paths ?? []);
    this.#cache.fill(null);
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

  /** The origin's answer to a request of this route: 2xx and 3xx teach its template. Nothing to do for known ones. */
  answered(route: Route, status: number): void {
    if (route.lesson === null || status < 200 || status >= 400) return;
    if (this.learned.learn(route.lesson)) this.#cache.fill(null);
  }

  /** Takes back what `learned.save()` gave; returns why it cannot. */
  restore(text: string): string | null {
    const refused = this.learned.restore(text);
    this.#cache.fill(null);
    return refused;
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
    return this.#declared.isEmpty ? this.#learn(head) : (this.#declaredRoute(head) ?? this.#learn(head));
  }

  #declaredRoute(head: HeadView): Route | null {
    const method =
      head.method === METHOD_OTHER ? head.text(0, head.targetStart) : (METHODS[head.method] as string);
    const found = this.#declared.find(method, head.text(head.targetStart, head.pathEnd));
    if (found === null) return null;
    const { text, hash, place } = found;
    return { text, hash: routeHash(hash, head.method), declared: place, lesson: null };
  }

  #learn(head: HeadView): Route {
    const { learned } = this;
    const { bytes, targetStart, pathEnd, method } = head;
    learned.resolve(bytes, targetStart, pathEnd);
    return {
      text: learned.text(bytes, targetStart),
      hash: routeHash(learned.template, method),
      declared: -1,
      lesson: learned.lesson(bytes, targetStart),
    };
  }
}
