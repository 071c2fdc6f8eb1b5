// Attacks 5b and 3b (traffic model, section 7) within the faithful mode's world: a thief who changes as little as may be, and
// people who do with their own device what they never did. Ten users each. Reported apart from the tool's attacks.
// Called by experiments and tests.
import { type Random, seededRandom } from '../../domain/random.ts';
import { between, chance, exponential, pick } from '../draw.ts';
import { APIS, type CallCount } from '../traffic-tables.ts';
import { type AttackOptions, compromised } from './attacks.ts';
import { firstOctetsOf, OLD_AGENTS, PLACES } from './figures.ts';
import { callChances, callOf, drawCall, ownSender, type Sender } from './normal.ts';
import { type FaithfulRequest, mergeByTime } from './request.ts';
import { apisOf, type FaithfulUser, type FaithfulWorld, type Subscription } from './world.ts';

const STOLEN_MS = 30 * 60_000;
const ABNORMAL_MS = 20 * 60_000;
/** Share of a thief's calls that go to payment, where the token may call it. */
const PAYMENT_SHARE = 0.7;
/** Share of calls to routes that the user never called. */
const NEW_ROUTE_SHARE = 0.6;

/** 5b: 1 to 3 addresses, half of them in the victim's country, one agent, one cookie, 1 to 3 times the victim's rate. */
export function stolenTokenRealistic(
  world: FaithfulWorld,
  options: AttackOptions,
): Generator<FaithfulRequest> {
  const { seed, startMs, durationMs = STOLEN_MS } = options;
  const random = seededRandom(seed);
  const sources = compromised(world, random).map((user) => {
    const own = random.fork(user.index);
    return thief(own, user, { startMs, endMs: startMs + durationMs });
  });
  return mergeByTime(sources);
}

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

function* thief(random: Random, user: FaithfulUser, { startMs, endMs }: Span): Generator<FaithfulRequest> {
  const use = pick(random, user.subscriptions);
  const home = PLACES.findIndex(({ country }) => country === user.country);
  const addresses = Array.from({ length: 1 + random.int(3) }, () => {
    const place = chance(random, 0.5) ? home : random.int(PLACES.length);
    const octet = () => random.int(256);
    return `${pick(random, firstOctetsOf(place))}.${octet()}.${octet()}.${octet()}`;
  });
  const agent = chance(random, 0.3) ? use.agent : pick(random, OLD_AGENTS);
  const cookie = chance(random, 0.3) ? user.cookie : `${user.cookie.slice(1)}${user.cookie[0]}`;
  const sender: Sender = { ...ownSender(user, use, 'stolen_token'), agent, cookie };
  const meanGapMs = meanGapOf(use) / between(random, 1, 3);
  const canPay = apisOf(use.app).includes('payment');
  const chances = callChances(use.calls);
  for (let atMs = startMs + exponential(random, meanGapMs); atMs < endMs; ) {
    const pays = canPay && chance(random, PAYMENT_SHARE);
    const call = pays ? { api: 'payment', method: 'GET' } : drawCall(random, use.calls, chances);
    yield callOf(random, { ...sender, address: pick(random, addresses) }, call, { atMs });
    atMs += exponential(random, meanGapMs);
  }
}

/** Mean ms between two calls of a subscription; of a list, or of |N(mean, sd)| roughly. */
function meanGapOf({ pace }: Subscription): number {
  if (pace.kind === 'drawn') return Math.max(pace.gap.mean, pace.gap.sd) * 1000;
  return (pace.gapsS.reduce((sum, gap) => sum + gap, 0) / pace.gapsS.length) * 1000;
}

/** 3b: the user's own device at 3 to 6 times the volume for 20 min, or at the usual volume with 60 % calls to new routes. */
export function abnormalUsageRealistic(
  world: FaithfulWorld,
  options: AttackOptions,
): Generator<FaithfulRequest> {
  const { seed, startMs, durationMs = ABNORMAL_MS } = options;
  const random = seededRandom(seed);
  const sources = compromised(world, random).map((user, n) => {
    const own = random.fork(user.index);
    return misuser(own, user, { startMs, endMs: startMs + durationMs, isVolume: n % 2 === 0 });
  });
  return mergeByTime(sources);
}

function* misuser(
  random: Random,
  user: FaithfulUser,
  { startMs, endMs, isVolume }: Span & { readonly isVolume: boolean },
): Generator<FaithfulRequest> {
  const use = pick(random, user.subscriptions);
  const sender = ownSender(user, use, 'abnormal_usage');
  const known = new Set(user.subscriptions.flatMap(({ calls }) => calls.map(({ api }) => api)));
  const fresh: Pick<CallCount, 'api' | 'method'>[] = APIS.filter((api) => !known.has(api)).map((api) => ({
    api,
    method: 'GET',
  }));
  const meanGapMs = meanGapOf(use) / (isVolume || fresh.length === 0 ? between(random, 3, 6) : 1);
  const chances = callChances(use.calls);
  for (let atMs = startMs + exponential(random, meanGapMs); atMs < endMs; ) {
    const isNew = !isVolume && fresh.length > 0 && chance(random, NEW_ROUTE_SHARE);
    yield callOf(random, sender, isNew ? pick(random, fresh) : drawCall(random, use.calls, chances), {
      atMs,
    });
    atMs += exponential(random, meanGapMs);
  }
}
