// The tool's five attacks (traffic model, section 4), each as a stream of its own without normal traffic, 900 s unless told
// otherwise. DOS and DDOS take one API after the other; how long an answer takes is ours, the tool had a real gateway.
// Called by experiments and tests.
import { type Random, seededRandom } from '../../domain/random.ts';
import { anyAddress, foldedNormal, letters, pick, wordText } from '../draw.ts';
import { APIS, ATTACK_GAPS, type CallCount, DELETE_APIS } from '../traffic-tables.ts';
import { OLD_AGENTS } from './figures.ts';
import { callChances, callOf, drawCall, ownSender } from './normal.ts';
import { type FaithfulLabel, type FaithfulRequest, mergeByTime } from './request.ts';
import { apisOf, type FaithfulUser, type FaithfulWorld, methodsOf, type Subscription } from './world.ts';

export interface AttackOptions {
  readonly seed: number;
  readonly startMs: number;
  /** 900,000 in the tool; of each API for DOS and DDOS. */
  readonly durationMs?: number;
}

export interface FloodOptions extends AttackOptions {
  /** Closed-loop clients, started within 1 s: 100 in the tool. */
  readonly clients?: number;
  /** Mean ms until a client has its answer, exponential; ours. */
  readonly answerMs?: number;
}

export interface DeleteOptions extends AttackOptions {
  /** `PUT` or both: the paper counts PUT requests as data destruction too. */
  readonly methods?: readonly ('DELETE' | 'PUT')[];
}

const DURATION_MS = 900_000;
const COMPROMISED_USERS = 10;
const FLOOD_ID_MAX = 9999;
const POOL_WORKERS = 100;

interface Subscriber {
  readonly user: FaithfulUser;
  readonly use: Subscription;
}

function subscribersOf(world: FaithfulWorld, api: string): Subscriber[] {
  return world.users.flatMap((user) =>
    user.subscriptions.filter(({ app }) => apisOf(app).includes(api)).map((use) => ({ user, use })),
  );
}

/** One identity at a rate as high as the gateway allows, API after API; the agent is random for each request. */
export function dos(world: FaithfulWorld, options: FloodOptions): Generator<FaithfulRequest> {
  return flood(world, options, 'dos');
}

/** As dos(), but each request carries the identity of a random subscriber. */
export function ddos(world: FaithfulWorld, options: FloodOptions): Generator<FaithfulRequest> {
  return flood(world, options, 'ddos');
}

function* flood(
  world: FaithfulWorld,
  options: FloodOptions,
  label: 'dos' | 'ddos',
): Generator<FaithfulRequest> {
  const { seed, startMs, durationMs = DURATION_MS, clients = 100, answerMs = 100 } = options;
  const random = seededRandom(seed);
  for (const [a, api] of APIS.entries()) {
    const people = subscribersOf(world, api);
    if (people.length === 0) continue;
    const fixed = pick(random, people);
    const fromMs = startMs + a * durationMs;
    const endMs = fromMs + durationMs;
    function* client(own: Random, firstMs: number): Generator<FaithfulRequest> {
      for (let atMs = firstMs; atMs < endMs; atMs += -answerMs * Math.log(1 - own.next())) {
        const { user, use } = label === 'dos' ? fixed : pick(own, people);
        const sender = { ...ownSender(user, use, label), agent: pick(own, OLD_AGENTS) };
        yield callOf(own, sender, { api, method: pick(own, methodsOf(api)) }, { atMs, idMax: FLOOD_ID_MAX });
      }
    }
    const sources = Array.from({ length: clients }, (_, c) =>
      client(random.fork(a * clients + c), fromMs + (c * 1000) / clients),
    );
    yield* mergeByTime(sources);
  }
}

/** Ten users with their own devices: counts times 3 to 6, one app after the other, once, an attack gap pattern for each app. */
export function abnormalUsage(world: FaithfulWorld, options: AttackOptions): Generator<FaithfulRequest> {
  const { seed, startMs, durationMs = DURATION_MS } = options;
  const random = seededRandom(seed);
  const sources = compromised(world, random).map((user) => {
    const own = random.fork(user.index);
    return once(own, user, {
      startMs,
      endMs: startMs + durationMs,
      label: 'abnormal_usage',
      calls: ({ calls }) => calls.map((call) => ({ ...call, count: call.count * (3 + own.int(4)) })),
      gap: () => pick(own, ATTACK_GAPS),
      disguise: (sender) => sender,
    });
  });
  return mergeByTime(sources);
}

/** Ten users' valid tokens and call mixes, with a new address, cookie and agent on every request; one gap pattern a user. */
export function stolenToken(world: FaithfulWorld, options: AttackOptions): Generator<FaithfulRequest> {
  const { seed, startMs, durationMs = DURATION_MS } = options;
  const random = seededRandom(seed);
  const sources = compromised(world, random).map((user) => {
    const own = random.fork(user.index);
    const gap = pick(own, ATTACK_GAPS);
    return once(own, user, {
      startMs,
      endMs: startMs + durationMs,
      label: 'stolen_token',
      calls: ({ calls }) => calls,
      gap: () => gap,
      disguise: (sender) => ({
        ...sender,
        address: anyAddress(own),
        cookie: wordText(own, 31),
        agent: pick(own, OLD_AGENTS),
      }),
    });
  });
  return mergeByTime(sources);
}

/** Ten different users, drawn. */
export function compromised(world: FaithfulWorld, random: Random): FaithfulUser[] {
  return random.shuffle([...world.users]).slice(0, COMPROMISED_USERS);
}

interface OncePlan {
  readonly startMs: number;
  readonly endMs: number;
  readonly label: FaithfulLabel;
  readonly calls: (use: Subscription) => readonly CallCount[];
  readonly gap: () => { readonly mean: number; readonly sd: number };
  readonly disguise: (sender: ReturnType<typeof ownSender>) => ReturnType<typeof ownSender>;
}

/** The user's apps one after the other, each as often as its counts say. */
function* once(random: Random, user: FaithfulUser, plan: OncePlan): Generator<FaithfulRequest> {
  let atMs = plan.startMs;
  for (const use of user.subscriptions) {
    const calls = plan.calls(use);
    const total = calls.reduce((sum, { count }) => sum + count, 0);
    if (total === 0) continue;
    const chances = callChances(calls);
    const gap = plan.gap();
    const sender = ownSender(user, use, plan.label);
    for (let n = 0; n < total; n++) {
      atMs += foldedNormal(random, gap.mean, gap.sd) * 1000;
      if (atMs >= plan.endMs) return;
      yield callOf(random, plan.disguise(sender), drawCall(random, calls, chances), { atMs });
    }
  }
}

/**
 * A hundred workers: each waits |int(N(0,1) * 10)| s, then deletes (or overwrites) an order of some API. The tool hands out tasks
 * in waves of 1,000 and never lets a worker wait for the others of its wave.
 */
export function extremeDelete(world: FaithfulWorld, options: DeleteOptions): Generator<FaithfulRequest> {
  const { seed, startMs, durationMs = DURATION_MS, methods = ['DELETE'] } = options;
  const random = seededRandom(seed);
  const victims = new Map(DELETE_APIS.map((api) => [api, pick(random, subscribersOf(world, api))]));
  function* worker(own: Random): Generator<FaithfulRequest> {
    for (let atMs = startMs; ; ) {
      atMs += Math.abs(Math.trunc(own.normal() * 10)) * 1000;
      if (atMs >= startMs + durationMs) return;
      const api = pick(own, DELETE_APIS);
      const { user, use } = victims.get(api)!;
      const sender = { ...ownSender(user, use, 'extreme_delete'), agent: pick(own, OLD_AGENTS) };
      const request = callOf(own, sender, { api, method: pick(own, methods) }, { atMs });
      yield { ...request, path: `${request.route}/${letters(own, 10)}` };
    }
  }
  return mergeByTime(Array.from({ length: POOL_WORKERS }, (_, w) => worker(random.fork(w))));
}
