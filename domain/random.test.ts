// Draws of the seeded generator: repeatable for ever, even, independent when forked, and inside their ranges.
// Statistical bounds are those of fixed seeds, so a failure means the generator changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './random.ts';

describe('seededRandom', () => {
  it('gives the same stream for the same seed, for ever', () => {
    const random = seededRandom(42);
    const first = [random.uint32(), random.uint32(), random.uint32()];
    expect(first).toEqual([seededRandom(42).uint32(), ...first.slice(1)]);
    expect(first).toMatchInlineSnapshot(`
      [
        660444221,
        3652823732,
        77672526,
      ]
    `);
  });

  it('tells seeds apart, also negative ones and ones above 2^32', () => {
    const heads = [0, 1, -1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 52].map((seed) => seededRandom(seed).uint32());
    expect(new Set(heads).size).toBe(heads.length);
  });

  it('draws integers evenly', () => {
    const random = seededRandom(7);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[random.int(10)]!++;
    const chiSquare = counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(27.9); // 99.9 % of chi-square with 9 degrees of freedom
  });

  it('draws normals with mean 0 and variance 1', () => {
    const random = seededRandom(11);
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < 50_000; i++) {
      const x = random.normal();
      sum += x;
      squares += x * x;
    }
    expect(Math.abs(sum / 50_000)).toBeLessThan(0.02);
    expect(Math.abs(squares / 50_000 - 1)).toBeLessThan(0.03);
  });

  it('forks streams that do not move the parent', () => {
    const alone = seededRandom(3);
    const parent = seededRandom(3);
    const child = parent.fork(1);
    child.next();
    expect(parent.uint32()).toBe(alone.uint32());
    expect(seededRandom(3).fork(1).uint32()).not.toBe(seededRandom(3).fork(2).uint32());
  });

  it('keeps every draw in its range and every shuffle a permutation', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 4294967295 }),
        fc.array(fc.integer()),
        (seed, n, items) => {
          const random = seededRandom(seed);
          const real = random.next();
          const whole = random.int(n);
          const shuffled = random.shuffle([...items]);
          return (
            real >= 0 &&
            real < 1 &&
            whole >= 0 &&
            whole < n &&
            [...shuffled].sort().join() === [...items].sort().join()
          );
        },
      ),
    );
  });

  it('refuses what cannot be a seed or a range', () => {
    expect(() => seededRandom(Number.NaN)).toThrow(RangeError);
    expect(() => seededRandom(1).int(0)).toThrow(RangeError);
  });
});
