// Reads members of a parsed JSON or UBJSON document with their place in every message: learner.gradient_booster.model.trees[3].
// Numbers may come as a list or as a typed array; prototypes are never consulted.
// Called by xgboost.ts and sklearn.ts.
import { malformed, shown, unsupported } from './imported-model.ts';

/** An object of the document and where it stands. */
export interface Node {
  readonly value: { readonly [key: string]: unknown };
  readonly place: string;
}

export type Numbers = ArrayLike<number>;

/** Most of each sign, so that what a parser makes of the text fits into memory: `{` and `[`, `,`, `"`. */
const SIGNS_MAX: readonly [string, number][] = [
  ['{', 1_000_000],
  ['[', 1_000_000],
  [',', 16_000_000],
  ['"', 2_000_000],
];

function checkSigns(bytes: Uint8Array, what: string): void {
  const counts = new Float64Array(256);
  for (let i = 0; i < bytes.length; i++) counts[bytes[i]!]!++;
  for (const [sign, most] of SIGNS_MAX) {
    const count = counts[sign.charCodeAt(0)]!;
    if (count > most) unsupported(what, `${count} times ${sign}, more than ${most}`);
  }
}

/** Parses JSON text with a bounded number of values; the message of a failure names the position. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  checkSigns(bytes, what);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return malformed(what, 'not text in UTF-8');
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    return malformed(what, `not JSON: ${shown(thrown instanceof Error ? thrown.message : String(thrown))}`);
  }
}

export function asNode(value: unknown, place: string): Node {
  const isPlain =
    typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
  if (!isPlain) return malformed(place, `found ${shown(value)}, expected an object`);
  return { value: value as Node['value'], place };
}

/** A member that may be missing: undefined then. */
export function optional(node: Node, key: string): unknown {
  return Object.hasOwn(node.value, key) ? node.value[key] : undefined;
}

export function member(node: Node, key: string): unknown {
  if (!Object.hasOwn(node.value, key)) malformed(node.place, `"${key}" is missing`);
  return node.value[key];
}

export function child(node: Node, key: string): Node {
  return asNode(member(node, key), `${node.place}.${key}`);
}

export function textOf(node: Node, key: string): string {
  const value = member(node, key);
  return typeof value === 'string'
    ? value
    : malformed(`${node.place}.${key}`, `found ${shown(value)}, expected text`);
}

export function listOf(node: Node, key: string): readonly unknown[] {
  const value = member(node, key);
  return Array.isArray(value)
    ? value
    : malformed(`${node.place}.${key}`, `found ${shown(value)}, expected a list`);
}

/** A list of texts; an empty one when it is missing. */
export function textsOf(node: Node, key: string): readonly string[] {
  if (optional(node, key) === undefined) return [];
  return listOf(node, key).map((value, i) =>
    typeof value === 'string'
      ? value
      : malformed(`${node.place}.${key}[${i}]`, `found ${shown(value)}, expected text`),
  );
}

/** A list of numbers (true and false count as 1 and 0) of a given length, or of any. */
export function numbersOf(node: Node, key: string, count?: number): Numbers {
  const value = member(node, key);
  const place = `${node.place}.${key}`;
  const isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView);
  if (!isTyped && !Array.isArray(value)) return malformed(place, `found ${shown(value)}, expected numbers`);
  const list = value as ArrayLike<unknown>;
  if (count !== undefined && list.length !== count)
    malformed(place, `${list.length} numbers, expected ${count}`);
  if (isTyped) return value as unknown as Numbers;
  return Float64Array.from(list as unknown[], (item, i) =>
    typeof item === 'number' || typeof item === 'boolean'
      ? Number(item)
      : malformed(`${place}[${i}]`, `found ${shown(item)}, expected a number`),
  );
}

/** One finite number, written as a number or, as XGBoost does, as text. */
export function numberOf(node: Node, key: string): number {
  const value = member(node, key);
  const isText = typeof value === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value);
  const number = isText || typeof value === 'number' ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) malformed(`${node.place}.${key}`, `found ${shown(value)}, expected a number`);
  return number;
}

export function countOf(node: Node, key: string, least: number, most: number): number {
  const count = numberOf(node, key);
  if (!Number.isInteger(count) || count < least || count > most) {
    malformed(`${node.place}.${key}`, `${count} is not a whole number from ${least} to ${most}`);
  }
  return count;
}
