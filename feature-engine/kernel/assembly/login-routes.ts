// For each route that carries login names: how many logins the origin refuses in 5 minutes, against the share it usually refuses.
// The habit is an exponential mean over 5-minute slices with at least one login (weight 1/16 once 16 are known). 64 routes; when
// full, further ones have no habit. A known habit learns at most four times itself from a slice, so that an attack does not soon
// look habitual. Called by crossing.ts.

import { overlap, slice } from './call';
import { log2 } from './log2';

const W5M: usize = 2;
const ROUTES: u32 = 64;
const WEIGHT_MIN: f64 = 1.0 / 16;
/** A share that may always be taught. */
const TAUGHT_MIN: f64 = 0.05;
/*
 * A line: u32 routes in use. Then 64 bytes for each:
 *   0 route  4 5-minute slice  8 answers and refusals of the current slice  16 the same of the previous one  24 slices learnt
 *  32 habit, f64
 */
export const LOGIN_ROUTES_BYTES: usize = 64 + 64 * 64;
const SLICE: usize = 4;
const ANSWERS: usize = 8;
const REFUSED: usize = 12;
const ANSWERS_BEFORE: usize = 16;
const REFUSED_BEFORE: usize = 20;
const LEARNED: usize = 24;
const HABIT: usize = 32;

/** Counts an answered login of the route; `routes` is the region. */
export function countLogin(routes: usize, route: u32, refused: bool): void {
  const at = find(routes, route, true);
  if (at == 0) return;
  roll(at);
  store<u32>(at, load<u32>(at, ANSWERS) + 1, ANSWERS);
  if (refused) store<u32>(at, load<u32>(at, REFUSED) + 1, REFUSED);
}

/** log2((refused + 1) / (expected + 1)) of the route; NaN without a habit. */
export function failureRatio(routes: usize, route: u32): f64 {
  const at = find(routes, route, false);
  if (at == 0) return f64.NaN;
  roll(at);
  if (load<u32>(at, LEARNED) == 0) return f64.NaN;
  const share = overlap(W5M);
  const answers = <f64>load<u32>(at, ANSWERS) + share * <f64>load<u32>(at, ANSWERS_BEFORE);
  const refused = <f64>load<u32>(at, REFUSED) + share * <f64>load<u32>(at, REFUSED_BEFORE);
  return log2((refused + 1) / (load<f64>(at, HABIT) * answers + 1));
}

function find(routes: usize, route: u32, make: bool): usize {
  const used = load<u32>(routes);
  for (let i: u32 = 1; i <= used; i++) {
    const at = routes + (<usize>i << 6);
    if (load<u32>(at) == route) return at;
  }
  if (!make || used == ROUTES) return 0;
  store<u32>(routes, used + 1);
  const at = routes + (<usize>(used + 1) << 6);
  store<u32>(at, route);
  return at;
}

/** Closes the current slice, which then teaches the habit. */
function roll(at: usize): void {
  const now = slice(W5M);
  const behind = now - load<u32>(at, SLICE);
  if (<i32>behind <= 0) return;
  const answers = load<u32>(at, ANSWERS);
  const refused = load<u32>(at, REFUSED);
  if (answers > 0) learn(at, <f64>refused / <f64>answers);
  store<u32>(at, behind == 1 ? answers : 0, ANSWERS_BEFORE);
  store<u32>(at, behind == 1 ? refused : 0, REFUSED_BEFORE);
  store<u64>(at, 0, ANSWERS);
  store<u32>(at, now, SLICE);
}

function learn(at: usize, share: f64): void {
  const learned = load<u32>(at, LEARNED) + 1;
  store<u32>(at, learned, LEARNED);
  const weight = max<f64>(1 / <f64>learned, WEIGHT_MIN);
  const habit = load<f64>(at, HABIT);
  const most = weight == WEIGHT_MIN ? 4 * habit + TAUGHT_MIN : 1;
  store<f64>(at, habit + (min<f64>(share, most) - habit) * weight, HABIT);
}
