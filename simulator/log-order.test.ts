// Order within a window: the same as sorting the whole log while the disorder stays within it; counted when it does not.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LogRequest, spreadSorted } from './access-log.ts';
import { LogOrder } from './log-order.ts';

function requestAt(second: number, nth: number): LogRequest {
  return {
    atMs: second * 1000,
    address: '10.0.0.1',
    method: 'GET',
    target: `/${nth}`,
    status: 200,
    bodyBytes: 0,
    referer: null,
    agent: null,
  };
}

function through(requests: readonly LogRequest[], window: number): { out: LogRequest[]; late: number } {
  const order = new LogOrder(window);
  const out = requests.flatMap((request) => order.push(request));
  return { out: [...out, ...order.end()], late: order.late };
}

describe('LogOrder', () => {
  it('gives what sorting gives while no request is further from its place than half the window', () => {
    const steps = fc.array(
      fc.record({ gap: fc.integer({ min: 0, max: 2 }), behind: fc.integer({ min: 0, max: 4 }) }),
      {
        maxLength: 300,
      },
    );
    fc.assert(
      fc.property(steps, (given) => {
        let second = 100;
        const requests = given.map(({ gap, behind }, nth) => {
          second += gap;
          return requestAt(second - behind, nth);
        });
        const sorted = spreadSorted(requests.toSorted((a, b) => a.atMs - b.atMs));
        // Up to four seconds behind: a window of the longest run of five seconds, twice, holds them.
        const { out, late } = through(requests, 2 * longestRun(requests, 5) + 2);
        expect(out).toEqual(sorted);
        expect(late).toBe(0);
      }),
    );
  });

  it('hands on every request once, whatever the order, and counts those that came too late', () => {
    const seconds = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 });
    fc.assert(
      fc.property(seconds, fc.integer({ min: 1, max: 20 }), (times, window) => {
        const { out, late } = through(times.map(requestAt), window);
        expect(out.map(({ target }) => target).toSorted()).toEqual(
          times.map((_, nth) => `/${nth}`).toSorted(),
        );
        const backwards = out.filter(({ atMs }, i) => i > 0 && atMs < out[i - 1]!.atMs).length;
        if (late === 0) expect(backwards).toBe(0);
      }),
    );
  });

  it('counts a request of a second that was handed on already', () => {
    expect(through([1, 2, 3, 4, 1].map(requestAt), 2).late).toBe(1);
  });
});

/** Most requests that lie within so many seconds of one another. */
function longestRun(requests: readonly LogRequest[], seconds: number): number {
  return Math.max(
    0,
    ...requests.map(
      ({ atMs }) => requests.filter((one) => Math.abs(one.atMs - atMs) <= seconds * 1000).length,
    ),
  );
}
