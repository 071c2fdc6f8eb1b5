// Normal traffic of the faithful mode: one closed process for each user under a virtual clock (offline mode: a line is written
// first, then the clock goes on by the gap). All answers are 200, as in the tool. Endless: whoever reads it stops.
// Called by experiments and by tests; attacks.ts uses its calls.
import { type Random, seededRandom } from '../../domain/random.ts';
import { foldedNormal, pick } from '../draw.ts';
import { type CallCount, ORDER_BODIES } from '../traffic-tables.ts';
import { type FaithfulLabel, type FaithfulRequest, mergeByTime } from './request.ts';
import type { FaithfulUser, FaithfulWorld, Pace, Subscription } from './world.ts';

const ORDER_BYTES: readonly number[] = ORDER_BODIES.map((body) => Buffer.byteLength(body));

export type Sender = Pick<FaithfulRequest, 'address' | 'token' | 'user' | 'cookie' | 'agent' | 'label'>;

/** The user's own device under this subscription. */
export function ownSender(user: FaithfulUser, use: Subscription, label: FaithfulLabel = 'normal'): Sender {
  const { index, address, cookie } = user;
  return { address, token: use.token, user: index, cookie, agent: use.agent, label };
}

/** Ids of orders that a DELETE or PUT names: 0..1000 in normal traffic, 0..9999 in attacks. */
export function callOf(
  random: Random,
  sender: Sender,
  call: Pick<CallCount, 'api'> & { readonly method: string },
  when: { readonly atMs: number; readonly idMax?: number },
): FaithfulRequest {
  const { api, method } = call;
  const route = `${api}/1/${method === 'GET' ? 'menu' : 'order'}`;
  const hasId = method === 'DELETE' || method === 'PUT';
  const path = hasId ? `${route}/${random.int((when.idMax ?? 1000) + 1)}` : route;
  const hasBody = method === 'POST' || method === 'PUT';
  const bodyBytes = hasBody ? pick(random, ORDER_BYTES) : 0;
  return { atMs: when.atMs, ...sender, method, path, route, status: 200, bodyBytes };
}

/** Chances of a round's calls; one that lies 0.5 or more under the largest takes 0.075 from it. */
export function callChances(calls: readonly CallCount[]): number[] {
  const sum = calls.reduce((total, { count }) => total + count, 0);
  const chances = calls.map(({ count }) => count / sum);
  for (let i = 0; i < chances.length; i++) {
    const largest = chances.indexOf(Math.max(...chances));
    if (chances[largest]! - chances[i]! < 0.5) continue;
    chances[i]! += 0.075;
    chances[largest]! -= 0.075;
  }
  return chances;
}

export function drawCall(random: Random, calls: readonly CallCount[], chances: readonly number[]): CallCount {
  let left = random.next();
  for (let i = 0; i < calls.length - 1; i++) {
    left -= chances[i]!;
    if (left < 0) return calls[i]!;
  }
  return calls.at(-1)!;
}

/** Gives the ms between one call and the next. */
export function paceOf(random: Random, pace: Pace): () => number {
  if (pace.kind === 'drawn') return () => foldedNormal(random, pace.gap.mean, pace.gap.sd) * 1000;
  let next = 0;
  return () => pace.gapsS[next++ % pace.gapsS.length]! * 1000;
}

/** What one user sends, for ever. */
export function* userTraffic(
  user: FaithfulUser,
  random: Random,
  startMs: number,
): Generator<FaithfulRequest> {
  const uses = user.subscriptions
    .map((use) => ({ use, chances: callChances(use.calls), pace: paceOf(random, use.pace) }))
    .filter(({ use }) => use.calls.some(({ count }) => count > 0));
  if (uses.length === 0) return;
  let atMs = startMs;
  for (;;) {
    const { use, chances, pace } = pick(random, uses);
    const round = use.calls.reduce((total, { count }) => total + count, 0);
    const sender = ownSender(user, use);
    for (let n = 0; n < round; n++) {
      yield callOf(random, sender, drawCall(random, use.calls, chances), { atMs });
      atMs += pace();
    }
    atMs += Math.abs(Math.trunc(random.normal() * 10)) * 1000;
  }
}

export interface NormalOptions {
  readonly seed: number;
  readonly startMs: number;
  readonly endMs: number;
  /** Numbers of users who send nothing. */
  readonly silent?: ReadonlySet<number>;
}

/** All users' normal traffic from startMs up to endMs, in order of time. */
export function* normalTraffic(world: FaithfulWorld, options: NormalOptions): Generator<FaithfulRequest> {
  const { seed, startMs, endMs, silent } = options;
  const random = seededRandom(seed);
  const sources = world.users
    .filter(({ index }) => !silent?.has(index))
    .map((user) => userTraffic(user, random.fork(user.index), startMs));
  for (const request of mergeByTime(sources)) {
    if (request.atMs >= endMs) return;
    yield request;
  }
}
