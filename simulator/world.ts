// The people of a run: which apps they have, how often they call, which devices, addresses and tokens they use.
// Made once from a seed; personas read it and change only tokens, cookies and where someone is.
// `faithful` follows the WSO2 tool (one address, one agent, one token an app); `realistic` adds what traffic.md section 6 lists.

import type { Random } from '../domain/random.ts';
import { newToken } from './catalogue.ts';
import { carrierAddress, chance, foldedNormal, homeAddress, pick, wordText } from './draw.ts';
import type { Client, ClientKind } from './request.ts';
import {
  APP_MIX,
  type AppName,
  type CallCount,
  GAPS,
  type Gap,
  GROUPS,
  type Group,
} from './traffic-tables.ts';
import { drawAgent, drawKind } from './user-agents.ts';

export type Flavour = 'faithful' | 'realistic';

export interface AppUse {
  readonly app: AppName;
  readonly gap: Gap;
  readonly calls: readonly CallCount[];
  token: string;
  tokenBornMs: number;
}

export interface Device {
  readonly kind: ClientKind;
  readonly agent: string;
  cookie: string | null;
}

export interface User {
  readonly index: number;
  readonly apps: readonly AppUse[];
  readonly devices: readonly Device[];
  /** Where the user's devices connect from; more than one if the user moves. */
  readonly addresses: readonly string[];
  /** Carrier network that gives a new address now and then, or -1. */
  readonly carrier: number;
  readonly jwt: boolean;
  /** Front ends that send several calls at once. */
  readonly callsAtOnce: number;
  /** Repeats a failed call five times at once instead of backing off. */
  readonly storms: boolean;
}

export interface World {
  readonly flavour: Flavour;
  readonly users: readonly User[];
  readonly startMs: number;
}

export interface WorldOptions {
  readonly random: Random;
  readonly users: number;
  readonly flavour: Flavour;
  readonly startMs: number;
  /** Lowest user number, so that several worlds need not share users. */
  readonly firstUser?: number;
}

export function makeWorld(options: WorldOptions): World {
  const { random, flavour } = options;
  const combos = random.shuffle(
    APP_MIX.flatMap((mix) => new Array<readonly AppName[]>(mix.users).fill(mix.apps)),
  );
  const shared = sharedAddresses(random);
  const deal = groupDealer(random);
  const users = Array.from({ length: options.users }, (_, i) => {
    const index = (options.firstUser ?? 0) + i;
    const apps = combos[i % combos.length] as readonly AppName[];
    const jwt = chance(random, 0.5);
    const groups = apps.map(deal);
    const uses = groups.map((group) => ({
      app: group.app,
      gap: GAPS[group.pattern] as Gap,
      calls: group.calls.map((call) => ({ ...call, count: drawCount(random, call.count) })),
      token: newToken(random, index, jwt),
      tokenBornMs: options.startMs - Math.floor(random.next() * 3_600_000),
    }));
    return flavour === 'faithful'
      ? plainUser(random, { index, apps: uses, jwt })
      : fullUser(random, { index, apps: uses, jwt }, shared);
  });
  return { flavour, users, startMs: options.startMs };
}

/** |int(N(median, 1))|, drawn once per user. */
function drawCount(random: Random, median: number): number {
  return Math.abs(Math.trunc(median + random.normal()));
}

/** Deals each app's groups as the tool's hundred users have them, shuffled, then again for further hundreds. */
function groupDealer(random: Random): (app: AppName) => Group {
  const decks = new Map<AppName, Group[]>();
  const dealt = new Map<AppName, number>();
  return (app) => {
    let deck = decks.get(app);
    if (deck === undefined) {
      const groups = GROUPS.filter((group) => group.app === app);
      deck = random.shuffle(groups.flatMap((group) => new Array<Group>(group.users).fill(group)));
      decks.set(app, deck);
    }
    const n = dealt.get(app) ?? 0;
    dealt.set(app, n + 1);
    return deck[n % deck.length] as Group;
  };
}

type UserBase = Pick<User, 'index' | 'apps' | 'jwt'>;

function plainUser(random: Random, base: UserBase): User {
  const kind = drawKind(random);
  return {
    ...base,
    devices: [{ kind, agent: drawAgent(random, kind), cookie: wordText(random, 31) }],
    addresses: [homeAddress(random)],
    carrier: -1,
    callsAtOnce: 1,
    storms: false,
  };
}

function fullUser(random: Random, base: UserBase, shared: readonly string[]): User {
  const device = (): Device => {
    const kind = drawKind(random);
    const cookie = chance(random, 0.5) ? wordText(random, 31) : null;
    return { kind, agent: drawAgent(random, kind), cookie };
  };
  const home = chance(random, 0.3) ? pick(random, shared) : homeAddress(random);
  const draw = random.next();
  const movesTo =
    draw < 0.55 ? [homeAddress(random)] : draw < 0.6 ? [homeAddress(random), homeAddress(random)] : [];
  return {
    ...base,
    devices: chance(random, 0.15) ? [device(), device()] : [device()],
    addresses: [home, ...movesTo],
    carrier: draw >= 0.6 && draw < 0.9 ? random.int(8) : -1,
    callsAtOnce: chance(random, 0.25) ? 2 + random.int(5) : 1,
    storms: chance(random, 0.1),
  };
}

/** Households, offices and one carrier gateway that many users share; the later ones are drawn more often. */
function sharedAddresses(random: Random): string[] {
  const gateway = carrierAddress(random, 1);
  const office = homeAddress(random);
  const homes = Array.from({ length: 8 }, () => homeAddress(random));
  return [...homes, ...new Array<string>(5).fill(office), ...new Array<string>(7).fill(gateway)];
}

/** What a request of the user's app shows, from one device at one address. */
export function clientOf(device: Device, token: string, address: string): Client {
  return { kind: device.kind, agent: device.agent, cookie: device.cookie, token, address };
}

/** Seconds, as ms. */
export function drawGapMs(random: Random, gap: Gap): number {
  return foldedNormal(random, gap.mean, gap.sd) * 1000;
}
