// Who makes room in a full table: against a plain model, and under a flood of a million new identities; rows that move to another
// key or come back from a snapshot. Both variants of the kernels.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../domain/random.ts';
import { EngineTable } from '../engine-tables.ts';
import { mix32 } from '../sketch.ts';
import { EngineMemory } from './memory.ts';
import { SLOT_BYTES } from './row-kernels.ts';

function keyOf(n: number, key: Uint32Array = new Uint32Array(4)): Uint32Array {
  for (let i = 0; i < 4; i++) key[i] = mix32(Math.imul(n + 1, 0x9e3779b1) ^ mix32(i + 1));
  return key;
}

interface Shape {
  readonly rows: number;
  readonly rowBytes?: number;
  readonly patience?: number;
  readonly variant?: 'release' | 'debug';
}

/** A table and what the kernels do with it, keys by number. */
function newTable({ rows, rowBytes = 16, patience = 0, variant = 'release' }: Shape) {
  const memory = new EngineMemory(rows * (rowBytes + SLOT_BYTES) + 1024, variant);
  const { kernels } = memory;
  const at = kernels.identities.value;
  const table = new EngineTable(memory, at, { rows, rowBytes, patience });
  const [first, second] = [memory.take(16), memory.take(16)];
  const put = (n: number, place: number) => {
    keyOf(n, memory.words.subarray(place / 4, place / 4 + 4));
    return place;
  };
  return {
    table,
    /** Address of the row, 0 without one. */
    find: (n: number) => kernels.find(at, put(n, first)),
    peek: (n: number) => kernels.peek(at, put(n, first)),
    rename: (from: number, to: number) => kernels.rename(at, put(from, first), put(to, second)),
    good: (row: number) => kernels.addGood(at, row),
    handle: (row: number) => kernels.handleOf(at, row),
    rowOf: (handle: number) => kernels.rowOfHandle(at, handle),
    word: (row: number, i: number) => memory.words[row / 4 + i] ?? -1,
    setWord: (row: number, i: number, value: number) => {
      memory.words[row / 4 + i] = value;
    },
  };
}

interface ModelRow {
  readonly id: number;
  seen: number;
  good: number;
}

/** The rule as plain arrays: one list per set of eight. */
class Model {
  readonly #sets = new Map<number, ModelRow[]>();
  readonly #setCount: number;
  #tick = 0;

  constructor(capacity: number) {
    this.#setCount = capacity / 8;
  }

  #set(id: number): ModelRow[] {
    const index = Math.floor(((keyOf(id)[0] as number) / 2 ** 32) * this.#setCount);
    const set = this.#sets.get(index) ?? [];
    this.#sets.set(index, set);
    return set;
  }

  /** True if the row is new. */
  find(id: number): boolean {
    this.#tick++;
    const set = this.#set(id);
    const row = set.find((r) => r.id === id);
    if (row !== undefined) {
      row.seen = this.#tick;
      return false;
    }
    if (set.length === 8) {
      const age = (r: ModelRow) => this.#tick - r.seen;
      const oldest = (rows: ModelRow[], by: (r: ModelRow) => number) =>
        rows.reduce((a, b) => (by(b) > by(a) ? b : a));
      const probation = set.filter((r) => r.good === 0);
      const victim =
        probation.length > 0
          ? oldest(probation, age)
          : oldest(set, (r) => age(r) / 2 ** Math.floor(Math.log2(r.good)));
      set.splice(set.indexOf(victim), 1, { id, seen: this.#tick, good: 0 });
    } else set.push({ id, seen: this.#tick, good: 0 });
    return true;
  }

  good(id: number): void {
    const row = this.#set(id).find((r) => r.id === id);
    if (row !== undefined) row.good++;
  }
}

describe('a table', () => {
  it.each(['release', 'debug'] as const)('makes room as the plain model does (%s)', (variant) => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const { table, find, good } = newTable({ rows: 16, variant });
      const model = new Model(16);
      let made = 0;
      for (let n = 0; n < 400; n++) {
        const id = random.int(random.next() < 0.5 ? 10 : 60);
        const row = find(id);
        if (model.find(id)) made++;
        const { rows, evictions } = table.stats();
        expect([seed, n, rows + evictions]).toEqual([seed, n, made]);
        if (random.next() < 0.4) {
          good(row);
          model.good(id);
        }
      }
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), run), { numRuns: variant === 'debug' ? 10 : 40 });
  });

  it('peeks without a trace', () => {
    const { find, peek } = newTable({ rows: 8 });
    expect(peek(1)).toBe(0);
    const row = find(1);
    expect(peek(1)).toBe(row);
    for (let i = 2; i < 9; i++) find(i);
    expect(peek(1)).toBe(row);
    find(9);
    expect(peek(1)).toBe(0);
  });

  it('refuses a new key while known rows are not idle, if it has patience', () => {
    const { table, find, peek, good } = newTable({ rows: 8, patience: 20 });
    for (let i = 0; i < 8; i++) good(find(i));
    for (let i = 0; i < 12; i++) expect(find(100)).toBe(0);
    expect(table.stats().refused).toBe(12);
    for (let i = 0; i < 8; i++) find(100);
    expect(find(100)).toBeGreaterThan(0);
    expect(peek(0)).toBe(0);
    find(200);
    expect([peek(100), peek(1)]).toEqual([0, expect.any(Number)]);
  });

  it('gives handles that end with their row', () => {
    const { find, handle, rowOf } = newTable({ rows: 8 });
    const row = find(1);
    const name = handle(row);
    expect(rowOf(name)).toBe(row);
    for (const wrong of [-1, Number.NaN, 8, 2 ** 24, 2 ** 48, Infinity, name + 1])
      expect(rowOf(wrong)).toBe(0);
    for (let i = 2; i < 10; i++) find(i);
    expect(rowOf(name)).toBe(0);
  });

  it('moves a row with its rank to the key of now, never over another one', () => {
    const { table, find, peek, rename, good, word, setWord } = newTable({ rows: 64, rowBytes: 32 });
    const row = find(1);
    setWord(row, 5, 77);
    for (let i = 0; i < 3; i++) good(row);
    const moved = rename(1, 2);
    expect([peek(1), peek(2), word(moved, 5)]).toEqual([0, moved, 77]);
    expect([...table.rows()].map(({ good }) => good)).toEqual([3]);
    expect(table.stats()).toMatchObject({ rows: 1, renamed: 1 });
    const other = find(3);
    expect([rename(2, 3), rename(9, 4)]).toEqual([0, 0]);
    expect([peek(2), peek(3), peek(4)]).toEqual([moved, other, 0]);
  });

  it('moves a row within a full set, in place', () => {
    const { table, find, peek, rename, good, word, setWord } = newTable({ rows: 8, rowBytes: 32 });
    for (let i = 0; i < 8; i++) {
      setWord(find(i), 5, 100 + i);
      good(find(i));
    }
    rename(4, 50);
    expect([0, 1, 2, 3, 50, 5, 6, 7].map((n) => word(peek(n), 5))).toEqual([
      ...[100, 101, 102, 103, 104, 105, 106, 107],
    ]);
    expect(table.stats()).toMatchObject({ rows: 8, evictions: 0 });
  });

  it('gives rows to a snapshot and takes them back with their rank', () => {
    const before = newTable({ rows: 64, rowBytes: 32 });
    for (let n = 0; n < 20; n++) {
      const row = before.find(n);
      before.setWord(row, 6, n);
      for (let i = 0; i < n % 4; i++) before.good(row);
    }
    const kept = [...before.table.rows()].map((row) => ({ ...row, words: row.words.slice() }));
    const after = newTable({ rows: 64, rowBytes: 32 });
    for (const row of kept) expect(after.table.restore(row)).not.toBeNull();
    const told = (rows: Iterable<{ good: number; age: number; words: Uint32Array }>) =>
      [...rows].map(({ good, age, words }) => [words[6], good, age]).sort((a, b) => a[0]! - b[0]!);
    expect(told(after.table.rows())).toEqual(told(kept));
    expect(after.table.row(keyOf(7))?.[6]).toBe(7);
    expect(after.table.row(keyOf(77))).toBeNull();
    expect(() => after.table.restore({ good: 0, age: 0, words: new Uint32Array(7) })).toThrow(RangeError);
  });

  /** A thousand legitimate identities, the busiest twenty times as busy as the last; then a million new ones. */
  function flood(share: { answeredWell: number; legitimateGoesOn: boolean }): number {
    const { table, find, peek, good } = newTable({ rows: 25_000 });
    const random = seededRandom(7);
    const legitimate = (n: number) => {
      const row = find(n);
      if (random.next() < 0.95) good(row);
    };
    for (let n = 0; n < 20_000; n++) legitimate(1000 + n);
    for (let n = 0; n < 1000; n++) for (let i = 0; i < 64 + n; i++) legitimate(n);
    for (let n = 0; n < 1_000_000; n++) {
      const row = find(1_000_000 + n);
      if (random.next() < share.answeredWell) good(row);
      if (share.legitimateGoesOn && n % 100 === 0) legitimate((n / 100) % 1000);
    }
    let known = 0;
    for (let n = 0; n < 1000; n++) if (peek(n) !== 0) known++;
    expect(table.stats().rows).toBe(25_000);
    return known;
  }

  it('knows the thousand most active legitimate identities after a flood of a million refused ones', () => {
    expect(flood({ answeredWell: 0, legitimateGoesOn: false })).toBe(1000);
  });

  it('knows them too when the flood is answered well and each of them asks once in four turnovers', () => {
    expect(flood({ answeredWell: 1, legitimateGoesOn: true })).toBe(1000);
  });
});
