// Jitter keeps order and requests, falls on ticks, delays and never advances.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import { jittered } from './jitter.ts';

it('delays only, keeps order, falls on ticks unless a stall held it up', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3000), { minLength: 1, maxLength: 60 }),
      fc.nat(1e6),
      fc.constantFrom(1, 20, 80),
      fc.constantFrom(Infinity, 5_000, 60_000),
      (gaps, seed, tickMs, stallEveryMs) => {
        let atMs = 1_000_000;
        const requests = gaps.map((gap, n) => {
          atMs += gap;
          return { atMs, n };
        });
        const options = { random: seededRandom(seed), tickMs, stallEveryMs, stallMs: 1_000 };
        const out = [...jittered(requests, options)];
        expect(out.map(({ n }) => n)).toEqual(requests.map(({ n }) => n));
        out.forEach((request, i) => {
          expect(request.atMs % tickMs).toBe(0);
          expect(request.atMs).toBeGreaterThanOrEqual(requests[i]!.atMs);
          expect(request.atMs).toBeGreaterThanOrEqual(out[i - 1]?.atMs ?? 0);
          if (stallEveryMs === Infinity) expect(request.atMs - requests[i]!.atMs).toBeLessThan(tickMs);
        });
      },
    ),
  );
});
