// Who makes room in a full table: against a plain model, and under a flood of a million new identities.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import { RowTable, SLOT_BYTES } from './row-table.ts';
import { mix32 } from './sketch.ts';

function keyOf(n: number, key: Uint32Array = new Uint32Array(4)): Uint32Array {
  for (let i = 0; i < 4; i++) key[i] = mix32(Math.imul(n + 1, 0x9e3779b1) ^ mix32(i + 1));
  return key;
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

describe('RowTable', () => {
  it('makes room as the plain model does', () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const table = new RowTable(16, { shared: false, rowWords: 4 });
      const model = new Model(16);
      for (let n = 0; n < 400; n++) {
        const id = random.int(random.next() < 0.5 ? 10 : 60);
        const slot = table.find(keyOf(id));
        expect([seed, n, table.madeNew]).toEqual([seed, n, model.find(id)]);
        if (random.next() < 0.4) {
          table.addGoodAnswer(slot);
          model.good(id);
        }
      }
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), run), { numRuns: 40 });
  });

  it('peeks without a trace', () => {
    const table = new RowTable(8, { shared: false });
    expect(table.peek(keyOf(1))).toBe(-1);
    const slot = table.find(keyOf(1));
    expect(table.peek(keyOf(1))).toBe(slot);
    for (let i = 2; i < 9; i++) table.find(keyOf(i));
    expect(table.peek(keyOf(1))).toBe(slot);
    table.find(keyOf(9));
    expect(table.peek(keyOf(1))).toBe(-1);
  });

  it('refuses a new key while known rows are not idle, if it has patience', () => {
    const table = new RowTable(8, { shared: false, patience: 20 });
    for (let i = 0; i < 8; i++) table.addGoodAnswer(table.find(keyOf(i)));
    for (let i = 0; i < 12; i++) expect(table.find(keyOf(100))).toBe(-1);
    expect(table.stats().refused).toBe(12);
    for (let i = 0; i < 8; i++) table.find(keyOf(100));
    expect(table.find(keyOf(100))).toBeGreaterThanOrEqual(0);
    expect(table.peek(keyOf(0))).toBe(-1);
    table.find(keyOf(200));
    expect([table.peek(keyOf(100)), table.peek(keyOf(1))]).toEqual([-1, expect.any(Number)]);
  });

  it('states its bytes', () => {
    const table = new RowTable(17, { shared: true, rowWords: 10 });
    expect(table.capacity).toBe(24);
    expect(table.words.length).toBe(240);
    expect(table.bytes).toBe(24 * (40 + SLOT_BYTES));
  });

  /** A thousand legitimate identities, the busiest twenty times as busy as the last; then a million new ones. */
  function flood(share: { answeredWell: number; legitimateGoesOn: boolean }): number {
    const table = new RowTable(25_000, { shared: false });
    const random = seededRandom(7);
    const key = new Uint32Array(4);
    const legitimate = (n: number) => {
      const slot = table.find(keyOf(n, key));
      if (random.next() < 0.95) table.addGoodAnswer(slot);
    };
    for (let n = 0; n < 20_000; n++) legitimate(1000 + n);
    for (let n = 0; n < 1000; n++) for (let i = 0; i < 64 + n; i++) legitimate(n);
    for (let n = 0; n < 1_000_000; n++) {
      const slot = table.find(keyOf(1_000_000 + n, key));
      if (random.next() < share.answeredWell) table.addGoodAnswer(slot);
      if (share.legitimateGoesOn && n % 100 === 0) legitimate((n / 100) % 1000);
    }
    let known = 0;
    for (let n = 0; n < 1000; n++) if (table.peek(keyOf(n, key)) >= 0) known++;
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
