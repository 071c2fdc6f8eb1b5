// The people of the faithful mode: 100 users who each have one country, address and cookie, and a token and agent for each app.
// Fixed groups of 2019 or 2020, or the random scenario of 2020. Made from a seed, never changed afterwards.
// Called by whoever runs the faithful mode; normal.ts and attacks.ts read it.
import { type Random, seededRandom } from '../../domain/random.ts';
import { pick, wordText } from '../draw.ts';
import {
  APIS,
  APP_MIX,
  type AppName,
  type CallCount,
  DELETE_APIS,
  GAPS,
  type Gap,
  GROUPS,
} from '../traffic-tables.ts';
import {
  firstOctetsOf,
  GAP_LISTS_2019,
  GROUP_LISTS_2019,
  OLD_AGENTS,
  PLACES,
  SCENARIO_CLASSES,
} from './figures.ts';

/** Time between calls: drawn anew (2020), or read off a list (2019). */
export type Pace =
  | { readonly kind: 'drawn'; readonly gap: Gap }
  | { readonly kind: 'list'; readonly gapsS: readonly number[] };

export interface Subscription {
  readonly app: AppName;
  readonly token: string;
  readonly agent: string;
  readonly calls: readonly CallCount[];
  readonly pace: Pace;
}

export interface FaithfulUser {
  readonly index: number;
  readonly country: string;
  readonly address: string;
  readonly cookie: string;
  readonly subscriptions: readonly Subscription[];
}

export interface FaithfulWorld {
  readonly users: readonly FaithfulUser[];
}

export type Scenario = 'groups_2019' | 'groups_2020' | 'random_2020';

/** A user's calls for an app and how fast they come. */
type Habit = Pick<Subscription, 'calls' | 'pace'>;

/** The tool's hundred users. The same seed and scenario give the same world. */
export function makeFaithfulWorld(seed: number, scenario: Scenario = 'groups_2020'): FaithfulWorld {
  const random = seededRandom(seed);
  const habitOf = scenario === 'random_2020' ? randomHabits(random) : groupHabits(random, scenario);
  const mixes =
    scenario === 'random_2020'
      ? Array.from({ length: 100 }, () => randomApps(random))
      : random.shuffle(APP_MIX.flatMap(({ apps, users }) => new Array<readonly AppName[]>(users).fill(apps)));
  const users = mixes.map((apps, index): FaithfulUser => {
    const country = random.int(PLACES.length);
    const octets = () => random.int(256);
    return {
      index,
      country: PLACES[country]!.country,
      address: `${pick(random, firstOctetsOf(country))}.${octets()}.${octets()}.${octets()}`,
      cookie: wordText(random, 31),
      subscriptions: apps.map((app) => ({
        app,
        token: wordText(random, 32),
        agent: pick(random, OLD_AGENTS),
        ...habitOf(app),
      })),
    };
  });
  return { users };
}

/** |int(N(median, 1))|, drawn once a user. */
function countsAround(random: Random, calls: readonly CallCount[]): CallCount[] {
  return calls.map((call) => ({ ...call, count: Math.abs(Math.trunc(call.count + random.normal())) }));
}

/** Deals the groups of each app, shuffled. */
function groupHabits(random: Random, scenario: Scenario): (app: AppName) => Habit {
  const decks = new Map<AppName, number[]>();
  for (const { app } of APP_MIX.flatMap(({ apps }) => apps.map((name) => ({ app: name })))) {
    if (decks.has(app)) continue;
    const cards = GROUPS.flatMap((group, g) =>
      group.app === app ? new Array<number>(group.users).fill(g) : [],
    );
    decks.set(app, random.shuffle(cards));
  }
  return (app) => {
    const g = decks.get(app)!.pop()!;
    const group = GROUPS[g]!;
    const pace: Pace =
      scenario === 'groups_2019'
        ? { kind: 'list', gapsS: GAP_LISTS_2019[GROUP_LISTS_2019[g]!]! }
        : { kind: 'drawn', gap: GAPS[group.pattern]! };
    return { calls: countsAround(random, group.calls), pace };
  };
}

/** N(mean, sd), drawn again until it falls within [from, to]. */
function truncatedNormal(random: Random, gap: Gap, from: number, to: number): number {
  for (;;) {
    const value = gap.mean + gap.sd * random.normal();
    if (value >= from && value <= to) return value;
  }
}

const APP_RESOURCES: Readonly<Record<AppName, readonly string[]>> = {
  shopping: ['news', 'places', 'payment'],
  taxi: ['map', 'places', 'weather', 'payment'],
  cricket: ['news', 'cricket'],
};

function randomApps(random: Random): readonly AppName[] {
  const count = Math.round(truncatedNormal(random, { mean: 0, sd: 1 }, 1, 3));
  const names: AppName[] = ['shopping', 'taxi', 'cricket'];
  return random.shuffle(names).slice(0, count);
}

/** The random scenario: a class by how often the token calls, one gap pattern for each app and class. */
function randomHabits(random: Random): (app: AppName) => Habit {
  const patterns = new Map<string, number>();
  return (app) => {
    const often = Math.round(truncatedNormal(random, { mean: 30, sd: 30 }, 0, 60));
    const level = often < 10 ? 0 : often < 30 ? 1 : 2;
    const { from, to, patterns: allowed } = SCENARIO_CLASSES[level]!;
    const key = `${app} ${level}`;
    if (!patterns.has(key)) patterns.set(key, pick<number>(random, allowed));
    const half = Math.floor((to - from) / 2);
    const calls = APP_RESOURCES[app].flatMap((api) =>
      methodsOf(api).map((method): CallCount => {
        const drawn = Math.trunc(truncatedNormal(random, { mean: half, sd: half }, from, to));
        return { api, method, count: method === 'GET' ? drawn : Math.trunc(drawn / 2) };
      }),
    );
    return { calls, pace: { kind: 'drawn', gap: GAPS[patterns.get(key)!]! } };
  };
}

/** Methods that an API of the tool has. */
export function methodsOf(api: string): CallCount['method'][] {
  const methods: CallCount['method'][] = ['GET'];
  if (api === 'payment') methods.push('POST');
  if (DELETE_APIS.some((name) => name === api)) methods.push('DELETE');
  return methods;
}

/** APIs that an app is subscribed to. */
export function apisOf(app: AppName): readonly string[] {
  return APP_RESOURCES[app].filter((api) => APIS.some((name) => name === api));
}
