// The accounting identity holds after any batches, in any order, repeated or not; nothing is taken twice.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Item, newMark, settle } from './settle.ts';

const one = (kind: Item['kind'], sequence: number): Item => ({ kind, first: sequence, last: sequence });

describe('settle', () => {
  test('a batch that comes again takes nothing', () => {
    const mark = newMark();
    const batch = [one('store', 1), one('store', 2), one('refuse', 3)];
    expect(settle(mark, batch)).toHaveLength(3);
    expect(settle(mark, batch)).toHaveLength(0);
    expect(mark).toEqual({ settled: 3, stored: 2, dropped: 0, refused: 1, skipped: 0, assigned: 3 });
  });

  test('a reported drop is dropped, an unreported gap is skipped', () => {
    const mark = newMark();
    settle(mark, [one('store', 1), { kind: 'drop', first: 2, last: 5 }, one('store', 8)]);
    expect(mark).toEqual({ settled: 8, stored: 2, dropped: 4, refused: 0, skipped: 2, assigned: 8 });
  });

  test('a stream that begins late was settled elsewhere before: nothing is skipped', () => {
    const mark = newMark();
    settle(mark, [one('store', 100), one('store', 103)]);
    expect(mark).toEqual({ settled: 103, stored: 2, dropped: 0, refused: 0, skipped: 2, assigned: 103 });
  });

  test('a drop of what was stored meanwhile counts only the rest', () => {
    const mark = newMark();
    settle(mark, [one('store', 1), one('store', 2), one('store', 3)]);
    settle(mark, [{ kind: 'drop', first: 2, last: 6 }]);
    expect(mark.dropped).toBe(3);
    expect(mark.stored + mark.dropped).toBe(6);
  });

  test('property: what is settled since the first contact is accounted for; sequences are taken once', () => {
    const item: fc.Arbitrary<Item> = fc
      .tuple(
        fc.constantFrom<Item['kind']>('store', 'refuse', 'drop'),
        fc.nat({ max: 50 }),
        fc.nat({ max: 9 }),
      )
      .map(([kind, first, more]) => ({
        kind,
        first: first + 1,
        last: first + 1 + (kind === 'drop' ? more : 0),
      }));
    fc.assert(
      fc.property(fc.array(fc.array(item, { maxLength: 20 }), { maxLength: 8 }), (batches) => {
        const mark = newMark();
        const stored = new Set<number>();
        for (const batch of batches) {
          for (const taken of settle(mark, batch)) {
            if (taken.kind !== 'store') continue;
            expect(stored.has(taken.first)).toBe(false);
            stored.add(taken.first);
          }
        }
        const first = Math.min(
          Infinity,
          ...(batches.find((batch) => batch.length > 0) ?? []).map((i) => i.first),
        );
        const before = first === Infinity ? 0 : first - 1;
        expect(mark.settled - before).toBe(mark.stored + mark.dropped + mark.refused + mark.skipped);
        expect(mark.stored).toBe(stored.size);
        expect(mark.assigned).toBe(mark.settled);
      }),
    );
  });
});
