// From the JSON text of a scoring request to rows of values, or a list of what is wrong, field by field. A pure function.
// Called by score-http.ts.

import type { Problem } from '../domain/errors.ts';
import { CONTROL_LIMITS } from './limits.ts';

export interface ScoreRows {
  /** Values in the order of the feature names; NaN = missing (null in the request). */
  readonly rows: readonly Float64Array[];
  /** The request held a list: the answer is one too. */
  readonly isList: boolean;
}

/** More problems than this are not told. */
const PROBLEMS_MAX = 20;
const SHOWN_CHARS = 40;

/**
 * Reads one object of named features or a list of them. Every feature must be named, null where it is missing; a name that
 * the model does not read is refused, since it is likely a misspelled one.
 */
export function readScoreRows(text: string, names: readonly string[]): ScoreRows | readonly Problem[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return [{ field: 'body', value: shown(text), expected: 'JSON: an object of named features, or a list' }];
  }
  const isList = Array.isArray(body);
  const given: readonly unknown[] = isList ? (body as unknown[]) : [body];
  const { scoreRowsMax } = CONTROL_LIMITS;
  if (given.length === 0 || given.length > scoreRowsMax) {
    return [{ field: 'body', value: `${given.length} rows`, expected: `1 to ${scoreRowsMax} rows` }];
  }
  const problems: Problem[] = [];
  const known = new Set(names);
  const rows: Float64Array[] = [];
  for (const [i, row] of given.entries()) {
    const at = isList ? `[${i}]` : '';
    if (isObject(row)) rows.push(readRow(row, { names, known, at, problems }));
    else problems.push({ field: at || 'body', value: shown(row), expected: 'an object of named features' });
    if (problems.length >= PROBLEMS_MAX) return problems.slice(0, PROBLEMS_MAX);
  }
  return problems.length > 0 ? problems : { rows, isList };
}

interface RowContext {
  readonly names: readonly string[];
  readonly known: ReadonlySet<string>;
  /** Place of the row in a list, empty for a single one. */
  readonly at: string;
  readonly problems: Problem[];
}

function readRow(row: Record<string, unknown>, { names, known, at, problems }: RowContext): Float64Array {
  const fieldOf = (name: string) => (at === '' ? name : `${at}.${name}`);
  const values = new Float64Array(names.length);
  for (const [place, name] of names.entries()) {
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    if (value === null) values[place] = Number.NaN;
    else if (typeof value === 'number' && Number.isFinite(value)) values[place] = value;
    else {
      const found = value === undefined ? 'nothing' : shown(value);
      problems.push({ field: fieldOf(name), value: found, expected: 'a finite number, or null if missing' });
    }
  }
  for (const name of Object.keys(row)) {
    if (known.has(name)) continue;
    const field = fieldOf(name.slice(0, CONTROL_LIMITS.scoreNameMaxChars));
    problems.push({ field, value: shown(row[name]), expected: 'a feature of the model' });
    if (problems.length >= PROBLEMS_MAX) break;
  }
  return values;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A short piece of what was found; a number that JSON cannot hold (1e999) reads as Infinity. */
function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}
