// Reads the fixtures that scripts/fixtures/import_fit.py made with scikit-learn, LightGBM, XGBoost and onnxruntime: a saved
// model, rows, and the margins of the library as f64 bits. Used by the importers' parity and fuzz tests.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImportFormat, importBundle, readModel } from '../../training/import/import-bundle.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/import');

type StoredNumber = number | null | 'inf' | '-inf';

interface Stored {
  readonly from: ImportFormat;
  /** The saved model as text, or as base64, or the same model as both. */
  readonly text?: string;
  readonly bytes?: string;
  readonly rows: readonly (readonly StoredNumber[])[];
  readonly margins: readonly (readonly string[])[];
  readonly scores?: readonly (readonly number[])[];
  /** What the library's predict says, for two classes. */
  readonly flagged?: readonly boolean[];
}

export interface ImportFixture {
  readonly name: string;
  readonly from: ImportFormat;
  /** The saved model in each form that it was saved in. */
  readonly files: readonly { readonly form: string; readonly bytes: Uint8Array }[];
  readonly rows: readonly Float64Array[];
  readonly margins: readonly Float64Array[];
  readonly scores: readonly (readonly number[])[] | null;
  readonly flagged: readonly boolean[] | null;
}

function numberOf(value: StoredNumber): number {
  if (value === null) return Number.NaN;
  if (value === 'inf') return Infinity;
  return value === '-inf' ? -Infinity : value;
}

function fromBits(hex: string): number {
  return Buffer.from(hex, 'hex').readDoubleBE(0);
}

function read(file: string): ImportFixture {
  const stored = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Stored;
  const files: { form: string; bytes: Uint8Array }[] = [];
  if (stored.text !== undefined) files.push({ form: 'text', bytes: Buffer.from(stored.text) });
  if (stored.bytes !== undefined) files.push({ form: 'bytes', bytes: Buffer.from(stored.bytes, 'base64') });
  return {
    name: file.replace('.json', ''),
    from: stored.from,
    files,
    rows: stored.rows.map((row) => Float64Array.from(row, numberOf)),
    margins: stored.margins.map((row) => Float64Array.from(row, fromBits)),
    scores: stored.scores ?? null,
    flagged: stored.flagged ?? null,
  };
}

export const IMPORT_FIXTURES: readonly ImportFixture[] = readdirSync(FOLDER).sort().map(read);

/** The bundle of a saved model. */
export function bundleOf(fixture: ImportFixture, bytes: Uint8Array) {
  const model = readModel(fixture.from, bytes);
  const manifest = { name: fixture.name, createdMs: 1_700_000_000_000, data: {} };
  return { model, ...importBundle({ model, map: new Map(), manifest }) };
}
