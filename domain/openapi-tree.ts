// A decoded OpenAPI document with what readers of it share: references inside the document, a bound on depth, and the list of
// problems with their places. Knows no OpenAPI objects but `$ref`. Called by openapi.ts and openapi-servers.ts.

import type { Problem } from './errors.ts';

const DEPTH_MAX = 100;
const REFERENCES_MAX = 16;
const PROBLEMS_MAX = 50;
const SHOWN_CHARS = 120;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `paths["/a"]` and `get` -> `paths["/a"].get`. */
export function place(at: string, key: string): string {
  return /^[A-Za-z_][\w-]*$/.test(key) ? `${at}.${key}` : `${at}[${JSON.stringify(key)}]`;
}

export class OpenApiTree {
  readonly root: unknown;
  readonly problems: Problem[] = [];

  constructor(root: unknown) {
    this.root = root;
  }

  problem(field: string, found: unknown, expected: string, hint?: string): void {
    if (this.problems.length >= PROBLEMS_MAX) return;
    this.problems.push({ field, value: shown(found), expected, ...(hint === undefined ? {} : { hint }) });
  }

  /** Values that YAML aliases share are looked at once, so this is linear in the text. */
  checkDepth(): void {
    const seen = new Set<object>();
    let level: object[] = isRecord(this.root) ? [this.root] : [];
    for (let depth = 0; level.length > 0; depth++) {
      if (depth > DEPTH_MAX) {
        this.problem('document', `nesting deeper than ${DEPTH_MAX}`, `at most ${DEPTH_MAX} levels`);
        return;
      }
      const next: object[] = [];
      for (const value of level) {
        if (seen.has(value)) continue;
        seen.add(value);
        for (const child of Object.values(value) as unknown[])
          if (typeof child === 'object' && child !== null) next.push(child);
      }
      level = next;
    }
  }

  /**
   * What `$ref` leads to; the value itself without one, with the fields beside `$ref` laid over it (as 3.1 allows for path
   * items). Undefined, with a problem noted, for a reference that leads nowhere, in a circle or out of the document.
   */
  resolve(given: unknown, at: string): unknown {
    let value = given;
    let beside: Record<string, unknown> = {};
    for (let step = 0; step <= REFERENCES_MAX; step++) {
      if (!isRecord(value) || value['$ref'] === undefined)
        return isRecord(value) ? { ...value, ...beside } : value;
      const { $ref: reference, ...rest } = value;
      beside = { ...rest, ...beside };
      if (typeof reference !== 'string' || !reference.startsWith('#/')) {
        this.problem(
          `${at}.$ref`,
          reference,
          'a reference inside the document, such as #/components/pathItems/orders',
          'join a document of several files into one first',
        );
        return undefined;
      }
      value = this.#pointed(reference);
      if (value === undefined) {
        this.problem(`${at}.$ref`, reference, 'a reference to something in the document');
        return undefined;
      }
    }
    this.problem(`${at}.$ref`, 'a circle or a long chain', `at most ${REFERENCES_MAX} references in a row`);
    return undefined;
  }

  /** A JSON pointer (RFC 6901) as URI fragment. */
  #pointed(reference: string): unknown {
    let value = this.root;
    for (const part of reference.slice(2).split('/')) {
      const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
      value = (value as Record<string, unknown>)[key];
    }
    return value;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return value === '' ? 'an empty text' : value.slice(0, SHOWN_CHARS);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isRecord(value)) return `an object with ${Object.keys(value).slice(0, 8).join(', ') || 'nothing'}`;
  return String(value).slice(0, SHOWN_CHARS);
}
