// What counts and what does not: an actor's first five requests, flags by id, refusals by what clients saw.

import { expect, it } from 'vitest';
import { countAttacks, countPhase, type SeenRequest, share } from './summary.ts';

function request(label: string, nth: number, refused = false): SeenRequest {
  return { requestId: `${label}-${nth}`, label, nth, refused };
}

const SEEN = [
  request('normal', 1),
  request('normal', 2, true),
  ...[1, 2, 3, 4, 5, 6, 7].map((nth) => request('dos', nth, nth >= 6)),
  request('extreme_delete', 9),
];

it('counts attacks after the fifth request of their actor only', () => {
  expect(countPhase(SEEN, new Set(['dos-6', 'dos-1', 'normal-1']))).toEqual({
    requests: 10,
    attacks: 3,
    attacks_flagged: 1,
    attacks_refused: 2,
    normal: 2,
    normal_flagged: 1,
    normal_refused: 1,
  });
});

it('counts by attack over the same requests', () => {
  expect(countAttacks(SEEN)).toEqual({
    dos: { sent: 2, refused: 2 },
    extreme_delete: { sent: 1, refused: 0 },
  });
});

it('writes shares, and a dash for nothing', () => {
  expect([share(1, 8), share(0, 0)]).toEqual(['12.50 %', '–']);
});
