// Routes that are declared: the policy's patterns, first match wins, then the templates of an OpenAPI document, concrete ones
// before templated ones. Only these may steer policy. Immutable; the data thread makes a new one when either changes.
// Matching takes the raw path, byte by byte, without decoding. Called by routes.ts when its cache misses.

import type { DeclaredPath } from '../domain/openapi.ts';
import {
  isLiteral,
  isWhole,
  matchesSegment,
  type SegmentTemplate,
  segmentsOf,
} from '../domain/path-template.ts';
import { matchesRoute, type RoutePattern } from '../domain/route-pattern.ts';
import { hashSegments } from './route-template.ts';

export interface DeclaredRoute {
  /** The template without method. */
  readonly text: string;
  /** See hashSegments: the same as of a learned template with the same words. */
  readonly hash: number;
  /** Place in the list: the policy's patterns first, then the document's paths; -1 if the method is not declared. */
  readonly place: number;
}

interface Node {
  readonly literals: Map<string, Node>;
  /** Parameters inside a segment; the longer literals first. */
  readonly partial: { readonly segment: SegmentTemplate; readonly node: Node }[];
  whole: Node | null;
  /** Index of the path that ends here, or -1. */
  path: number;
}

function newNode(): Node {
  return { literals: new Map(), partial: [], whole: null, path: -1 };
}

export class DeclaredRoutes {
  readonly #patterns: readonly RoutePattern[];
  readonly #patternRoutes: readonly DeclaredRoute[];
  readonly #pathRoutes: readonly DeclaredRoute[];
  readonly #undeclared: readonly DeclaredRoute[];
  /** Method names by path; GET brings HEAD (RFC 9110 section 9.3.2). */
  readonly #methods: readonly ReadonlySet<string>[];
  readonly #root = newNode();

  constructor(patterns: readonly RoutePattern[], paths: readonly DeclaredPath[]) {
    this.#patterns = patterns;
    this.#patternRoutes = patterns.map(({ text, segments }, place) => ({
      text: text.slice(text.indexOf(' ') + 1),
      hash: hashSegments(segments.map((segment) => (segment === null ? ['', ''] : [segment]))),
      place,
    }));
    this.#pathRoutes = paths.map(({ text }, i) => ({
      text,
      hash: hashSegments(segmentsOf(text)),
      place: patterns.length + i,
    }));
    this.#undeclared = this.#pathRoutes.map((route) => ({ ...route, place: -1 }));
    this.#methods = paths.map(({ operations }) => {
      const methods = new Set(operations.map((operation) => operation.method));
      if (methods.has('GET')) methods.add('HEAD');
      return methods;
    });
    for (const [i, path] of paths.entries()) this.#insert(segmentsOf(path.text), i);
    sortPartials(this.#root);
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0 && this.#pathRoutes.length === 0;
  }

  /**
   * The route of a method and a path without query; null if none is declared. A path of the document whose template fits but
   * which does not have the method gives the template with place -1: good for counting, not for policy.
   */
  find(method: string, path: string): DeclaredRoute | null {
    const index = this.#patterns.findIndex((pattern) => matchesRoute(pattern, method, path));
    if (index >= 0) return this.#patternRoutes[index]!;
    if (this.#pathRoutes.length === 0) return null;
    const segments = path.slice(1).split('/');
    const exact = this.#search(this.#root, segments, { at: 0, method });
    if (exact >= 0) return this.#pathRoutes[exact]!;
    const any = this.#search(this.#root, segments, { at: 0, method: null });
    return any < 0 ? null : this.#undeclared[any]!;
  }

  /** Depth first, the more concrete branch before the less; each node is looked at once at most. */
  #search(node: Node, segments: readonly string[], asked: { at: number; method: string | null }): number {
    const { at, method } = asked;
    if (at === segments.length) {
      const { path } = node;
      return path >= 0 && (method === null || this.#methods[path]!.has(method)) ? path : -1;
    }
    const segment = segments[at]!;
    const next = { at: at + 1, method };
    const literal = node.literals.get(segment);
    let found = literal === undefined ? -1 : this.#search(literal, segments, next);
    for (let i = 0; found < 0 && i < node.partial.length; i++) {
      const branch = node.partial[i]!;
      if (matchesSegment(branch.segment, segment)) found = this.#search(branch.node, segments, next);
    }
    if (found < 0 && node.whole !== null && segment !== '') found = this.#search(node.whole, segments, next);
    return found;
  }

  #insert(segments: readonly SegmentTemplate[], path: number): void {
    let node = this.#root;
    for (const segment of segments) node = childOf(node, segment);
    if (node.path < 0) node.path = path;
  }
}

function childOf(node: Node, segment: SegmentTemplate): Node {
  if (isWhole(segment)) {
    node.whole ??= newNode();
    return node.whole;
  }
  if (isLiteral(segment)) {
    const known = node.literals.get(segment[0]!);
    if (known !== undefined) return known;
    const made = newNode();
    node.literals.set(segment[0]!, made);
    return made;
  }
  const same = node.partial.find((branch) => branch.segment.join('{}') === segment.join('{}'));
  if (same !== undefined) return same.node;
  const made = newNode();
  node.partial.push({ segment, node: made });
  return made;
}

function sortPartials(node: Node): void {
  node.partial.sort((a, b) => b.segment.join('').length - a.segment.join('').length);
  for (const child of node.literals.values()) sortPartials(child);
  for (const branch of node.partial) sortPartials(branch.node);
  if (node.whole !== null) sortPartials(node.whole);
}
