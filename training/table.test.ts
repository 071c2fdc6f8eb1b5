// Columns made of CSV records: numbers, missing values, texts, filters, and the errors of the header.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numberOf, readTable, refuseTexts, type Table, type TableRequest } from './table.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-table-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function tableOf(text: string, request: Partial<TableRequest>): Promise<Table> {
  const path = join(folder, 'table.csv');
  await writeFile(path, text);
  return readTable(path, { texts: [], numbers: { allBut: [] }, where: [], ...request });
}

describe('numberOf', () => {
  it.each([
    ['12', 12],
    [' -1.5e3 ', -1500],
    ['.5', 0.5],
    ['7.', 7],
    ['', Number.NaN],
    ['null', Number.NaN],
    ['NaN', Number.NaN],
    ['NA', Number.NaN],
    ['0x10', undefined],
    ['1e999', undefined],
    ['Infinity', undefined],
    ['1,5', undefined],
    ['true', undefined],
    ['12 px', undefined],
  ])('reads %j as %s', (cell, value) => {
    expect(numberOf(cell)).toBe(value);
  });
});

describe('readTable', () => {
  const text = 'id,kind,x,y\na,good,1,2\nb,bad,,4\n\nc,good,5,oops\n';

  it('keeps what was asked for', async () => {
    const table = await tableOf(text, { texts: ['kind'], numbers: ['x'] });
    expect(table.rowCount).toBe(3);
    expect(table.header).toEqual(['id', 'kind', 'x', 'y']);
    expect(table.texts).toEqual([
      { name: 'kind', codes: Uint32Array.of(0, 1, 0), distinct: ['good', 'bad'] },
    ]);
    expect(table.numbers).toEqual([
      { name: 'x', values: Float64Array.of(1, Number.NaN, 5), firstText: null },
    ]);
  });

  it('says where the first text in a column of numbers is', async () => {
    const table = await tableOf(text, { texts: ['id', 'kind'] });
    expect(table.numbers.map(({ name, firstText }) => [name, firstText])).toEqual([
      ['x', null],
      ['y', { line: 5, value: 'oops' }],
    ]);
    expect(() => refuseTexts(table, 'name other columns')).toThrow(
      'one column holds text where numbers are needed',
    );
  });

  it('takes every column but those that are named otherwise', async () => {
    const request = { texts: ['id'], numbers: { allBut: ['y'] }, where: [{ column: 'kind', value: 'good' }] };
    expect((await tableOf(text, request)).numbers.map(({ name }) => name)).toEqual(['x']);
  });

  it('leaves out the rows that a filter does not pass, texts in them included', async () => {
    const table = await tableOf(`${text}d,bad,7,8\n`, {
      numbers: ['y'],
      where: [{ column: 'kind', value: 'bad' }],
    });
    expect(table.numbers[0]).toEqual({ name: 'y', values: Float64Array.of(4, 8), firstText: null });
    expect([table.rowCount, table.rowsLeftOut]).toEqual([2, 2]);
  });

  it('never takes a column without a name', async () => {
    const table = await tableOf(',x\n0,1\n1,2\n', {});
    expect(table.numbers.map(({ name }) => name)).toEqual(['x']);
  });

  it.each([
    ['a,b\n1\n', {}, 'line 2: 1 cells, but the header has 2'],
    ['a,b\n1,2\n', { numbers: ['c', 'd'] }, 'line 1: there is no column c, d'],
    ['a,a\n1,2\n', { numbers: ['a'] }, 'line 1: two columns are named a'],
    ['', {}, 'is empty'],
  ])('refuses %j with %j', async (content, request, message) => {
    await expect(tableOf(content, request)).rejects.toMatchObject({ code: 'DATA_INVALID' });
    await expect(tableOf(content, request)).rejects.toThrow(message);
  });

  it('reads more rows than its first buffers hold', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => `${i},t${i % 3}`).join('\n');
    const table = await tableOf(`n,t\n${rows}`, { texts: ['t'] });
    expect(table.numbers[0]!.values.at(-1)).toBe(4999);
    expect(table.texts[0]!.distinct).toEqual(['t0', 't1', 't2']);
  });
});
