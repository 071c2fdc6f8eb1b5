// Columns of a CSV file: numbers as Float64Array (NaN where missing), texts as codes into a list of distinct values.
// Only the asked-for columns are kept, only the rows that pass the filters. Says where the first text in a number column is.
// Called by cli/train.ts and cli/score.ts.
import { PicketError } from '../domain/errors.ts';
import { type OnRecord, readCsvFile } from './csv.ts';

/** Which columns become what. A column may be asked for as text and as numbers at once. */
export interface TableRequest {
  /** Columns read as text. */
  readonly texts: readonly string[];
  /** Columns read as numbers: these, or every named column but those, `texts` and the filters' columns. */
  readonly numbers: readonly string[] | { readonly allBut: readonly string[] };
  /** Keep only rows whose cell equals the value, for every filter. */
  readonly where: readonly { readonly column: string; readonly value: string }[];
}

/** A cell that is no number, in a column read as numbers. */
export interface TextCell {
  readonly line: number;
  readonly value: string;
}

export interface NumberColumn {
  readonly name: string;
  readonly values: Float64Array;
  /** The first cell that is neither a number nor missing (its value is NaN in `values`); null if there is none. */
  readonly firstText: TextCell | null;
}

export interface TextColumn {
  readonly name: string;
  /** Index into `distinct` for each row. */
  readonly codes: Uint32Array;
  /** In order of first appearance. */
  readonly distinct: readonly string[];
}

export interface Table {
  /** All names of the header, in order. */
  readonly header: readonly string[];
  readonly rowCount: number;
  /** Rows that a filter left out. */
  readonly rowsLeftOut: number;
  readonly numbers: readonly NumberColumn[];
  readonly texts: readonly TextColumn[];
}

const NUMBER_FORM = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const MISSING_WORDS: ReadonlySet<string> = new Set(['', 'null', 'nan', 'na', 'none']);

/** Whether a cell stands for a missing value: empty, null, NaN, NA or None, in any case. */
export function isMissingCell(cell: string): boolean {
  return cell.length <= 4 && MISSING_WORDS.has(cell.toLowerCase());
}

/** The number a cell holds; NaN if it is missing; undefined if it is text. A number too large for a double is text. */
export function numberOf(cell: string): number | undefined {
  const trimmed = cell.trim();
  if (isMissingCell(trimmed)) return Number.NaN;
  if (!NUMBER_FORM.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}

/** Doubles its room as rows come. */
class Growing {
  values = new Float64Array(1024);
  count = 0;

  push(value: number): void {
    if (this.count === this.values.length) {
      const wider = new Float64Array(this.count * 2);
      wider.set(this.values);
      this.values = wider;
    }
    this.values[this.count++] = value;
  }
}

class NumberSink {
  readonly name: string;
  readonly place: number;
  readonly #values = new Growing();
  #firstText: TextCell | null = null;

  constructor(name: string, place: number) {
    this.name = name;
    this.place = place;
  }

  add(cell: string, line: number): void {
    const value = numberOf(cell);
    if (value === undefined) this.#firstText ??= { line, value: cell };
    this.#values.push(value ?? Number.NaN);
  }

  column(): NumberColumn {
    const { values, count } = this.#values;
    return { name: this.name, values: values.slice(0, count), firstText: this.#firstText };
  }
}

class TextSink {
  readonly name: string;
  readonly place: number;
  readonly #codes = new Growing();
  readonly #codeOf = new Map<string, number>();

  constructor(name: string, place: number) {
    this.name = name;
    this.place = place;
  }

  add(cell: string): void {
    let code = this.#codeOf.get(cell);
    if (code === undefined) {
      code = this.#codeOf.size;
      this.#codeOf.set(cell, code);
    }
    this.#codes.push(code);
  }

  column(): TextColumn {
    const { values, count } = this.#codes;
    return {
      name: this.name,
      codes: Uint32Array.from(values.subarray(0, count)),
      distinct: [...this.#codeOf.keys()],
    };
  }
}

interface Filter {
  readonly place: number;
  readonly value: string;
}

/** Takes the records of one file: the first is the header, which fixes the sinks. */
class TableBuilder {
  readonly #request: TableRequest;
  #header: readonly string[] | null = null;
  #numbers: readonly NumberSink[] = [];
  #texts: readonly TextSink[] = [];
  #filters: readonly Filter[] = [];
  #rowCount = 0;
  #rowsLeftOut = 0;

  constructor(request: TableRequest) {
    this.#request = request;
  }

  readonly add: OnRecord = (cells, line) => {
    if (this.#header === null) {
      this.#open(cells.map((cell) => cell.trim()));
      return;
    }
    if (cells.length === 1 && cells[0] === '' && this.#header.length > 1) return;
    if (cells.length !== this.#header.length) {
      const message = `line ${line}: ${cells.length} cells, but the header has ${this.#header.length}`;
      throw new PicketError('DATA_INVALID', message);
    }
    if (this.#filters.some(({ place, value }) => cells[place] !== value)) {
      this.#rowsLeftOut++;
      return;
    }
    this.#rowCount++;
    for (const sink of this.#numbers) sink.add(cells[sink.place]!, line);
    for (const sink of this.#texts) sink.add(cells[sink.place]!);
  };

  table(path: string): Table {
    if (this.#header === null)
      throw new PicketError('DATA_INVALID', `${path} is empty: a header line is expected`);
    return {
      header: this.#header,
      rowCount: this.#rowCount,
      rowsLeftOut: this.#rowsLeftOut,
      numbers: this.#numbers.map((sink) => sink.column()),
      texts: this.#texts.map((sink) => sink.column()),
    };
  }

  #open(header: readonly string[]): void {
    const { texts, numbers, where } = this.#request;
    this.#header = header;
    const filtered = where.map(({ column }) => column);
    const allBut = 'allBut' in numbers ? numbers.allBut : [];
    const used = new Set(['', ...texts, ...filtered, ...allBut]);
    const numberNames = 'allBut' in numbers ? header.filter((name) => !used.has(name)) : numbers;
    refuseAbsent(header, [...texts, ...numberNames, ...filtered, ...allBut]);
    this.#texts = texts.map((name) => new TextSink(name, header.indexOf(name)));
    this.#numbers = numberNames.map((name) => new NumberSink(name, header.indexOf(name)));
    this.#filters = where.map(({ column, value }) => ({ place: header.indexOf(column), value }));
  }
}

function refuseAbsent(header: readonly string[], wanted: readonly string[]): void {
  const absent = [...new Set(wanted)].filter((name) => !header.includes(name));
  if (absent.length > 0) {
    throw new PicketError('DATA_INVALID', `line 1: there is no column ${absent.join(', ')}`, {
      hint: `the columns are: ${header.filter((name) => name !== '').join(', ')}`,
    });
  }
  const twice = [...new Set(wanted)].filter((name) => header.indexOf(name) !== header.lastIndexOf(name));
  if (twice.length > 0) {
    throw new PicketError('DATA_INVALID', `line 1: two columns are named ${twice.join(', ')}`);
  }
}

/**
 * Reads the asked-for columns of a CSV file.
 * @throws PicketError DATA_INVALID: unreadable file, broken CSV, ragged rows, unknown or doubled columns.
 */
export async function readTable(path: string, request: TableRequest): Promise<Table> {
  const builder = new TableBuilder(request);
  await readCsvFile(path, builder.add);
  return builder.table(path);
}

/**
 * Refuses columns of numbers that hold text.
 * @param hint what the caller can do about it.
 * @throws PicketError DATA_INVALID with one problem a column: its first text and the line.
 */
export function refuseTexts(table: Table, hint: string): void {
  const problems = table.numbers.flatMap(({ name, firstText }) => {
    if (firstText === null) return [];
    const value = `"${firstText.value.slice(0, 60)}" in line ${firstText.line}`;
    return [{ field: name, value, expected: 'a number, or nothing where it is missing' }];
  });
  if (problems.length === 0) return;
  const count = problems.length === 1 ? 'one column holds' : `${problems.length} columns hold`;
  throw new PicketError('DATA_INVALID', `${count} text where numbers are needed`, { problems, hint });
}
