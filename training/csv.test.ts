// The CSV reader record by record: quoting, line ends, chunk borders anywhere, and errors that say line and column.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CsvReader, RECORD_MAX_BYTES, readCsvFile } from './csv.ts';

function recordsOf(text: string, chunkBytes = text.length + 1): { cells: string[]; line: number }[] {
  const records: { cells: string[]; line: number }[] = [];
  const reader = new CsvReader((cells, line) => records.push({ cells: [...cells], line }));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  reader.end();
  return records;
}

const cellsOf = (text: string, chunkBytes?: number) => recordsOf(text, chunkBytes).map(({ cells }) => cells);

describe('CsvReader', () => {
  it('reads plain and quoted cells, CRLF and LF, with and without a last line end', () => {
    expect(cellsOf('a,b\r\n1,"x, ""y""\nz"\n3,')).toEqual([
      ['a', 'b'],
      ['1', 'x, "y"\nz'],
      ['3', ''],
    ]);
  });

  it('counts lines, those inside quotes too', () => {
    expect(recordsOf('a\n"1\n2\n3"\nb\n').map(({ line }) => line)).toEqual([1, 2, 5]);
  });

  it('skips a byte order mark and keeps other UTF-8', () => {
    expect(cellsOf('\ufeffä,€\n', 1)).toEqual([['ä', '€']]);
    expect(cellsOf('\ufeff', 1)).toEqual([]);
  });

  it.each([
    ['a,b\n1,x"y\n', 'line 2, column 2: a quote stands inside an unquoted cell'],
    ['a,b\n"1"x,2\n', 'line 2, column 2: text follows the closing quote'],
    ['a,b\n1,"2\n3\n', 'line 2, column 2: the quote is never closed'],
    ['a\rb\n', 'line 1, column 2: text follows the closing quote, or a lone CR'],
  ])('refuses %j and says where', (text, message) => {
    expect(() => recordsOf(text)).toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
    expect(() => recordsOf(text)).toThrow(message);
  });

  it('refuses a record without an end before it fills the memory', () => {
    const reader = new CsvReader(() => {});
    const chunk = Buffer.alloc(RECORD_MAX_BYTES / 2, 'x');
    reader.push(chunk);
    reader.push(chunk);
    expect(() => reader.push(chunk)).toThrow('line 1: the record is longer than 1048576 bytes');
  });

  it('gives back what was written, wherever the chunks end', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r', '\r\n', 'é', ' ') });
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    const written = (rows: string[][], lineEnd: string) =>
      rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')).join(lineEnd);
    fc.assert(
      fc.property(
        table,
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('\n', '\r\n'),
        (rows, chunkBytes, lineEnd) => {
          expect(cellsOf(written(rows, lineEnd), chunkBytes)).toEqual(rows);
        },
      ),
    );
  });
});

describe('readCsvFile', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'picket-csv-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function cellsOfFile(name: string, content: Uint8Array): Promise<string[][]> {
    const path = join(folder, name);
    await writeFile(path, content);
    const rows: string[][] = [];
    await readCsvFile(path, (cells) => rows.push([...cells]));
    return rows;
  }

  it('reads plain and gzipped files alike', async () => {
    const text = Array.from({ length: 50_000 }, (_, i) => `${i},"v ${i}"`).join('\n');
    const plain = await cellsOfFile('a.csv', Buffer.from(text));
    expect(plain.length).toBe(50_000);
    expect(plain.at(-1)).toEqual(['49999', 'v 49999']);
    expect(await cellsOfFile('a.csv.gz', gzipSync(text))).toEqual(plain);
  });

  it('says what is wrong with a file that is absent, a folder, or no gzip', async () => {
    await expect(readCsvFile(join(folder, 'none.csv'), () => {})).rejects.toThrow(
      /none\.csv cannot be read: ENOENT/,
    );
    await expect(readCsvFile(folder, () => {})).rejects.toThrow(/cannot be read: EISDIR/);
    await expect(readCsvFile(join(folder, 'none.csv.gz'), () => {})).rejects.toThrow(/ENOENT/);
    await expect(cellsOfFile('b.csv.gz', Buffer.from('a,b\n1,2\n'))).rejects.toThrow(
      /incorrect header check/,
    );
    const cut = gzipSync('a,b\n1,2\n'.repeat(1000)).subarray(0, 40);
    await expect(cellsOfFile('c.csv.gz', cut)).rejects.toMatchObject({ code: 'DATA_INVALID' });
  });
});
