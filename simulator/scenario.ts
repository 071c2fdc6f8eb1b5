// Whole runs: who is there, who attacks, from when to when. The same seed and settings give the same requests.
// mixedTraffic is what `picket simulate` and training use; demoTraffic is the two-phase story of `npm start`.

import { type Random, seededRandom } from '../domain/random.ts';
import { type AttackGround, attacker } from './attackers.ts';
import { newToken } from './catalogue.ts';
import { logBetween, pick } from './draw.ts';
import { appUser } from './personas/app-user.ts';
import { crawler, monitor, partner, siteVisitor } from './personas/visitor.ts';
import type { Actor, AttackName, SimRequest } from './request.ts';
import { SampleStore } from './sample-store.ts';
import { schedule } from './schedule.ts';
import { type Flavour, makeWorld, type World } from './world.ts';

/** Monday 6 January 2025, 10:00 UTC: when simulated runs begin unless told otherwise. */
export const SIM_START_MS = 1_736_157_600_000;
const ATTACKER_ACCOUNTS = 1_000;

export interface MixedSettings {
  readonly seed: number;
  /** Simulated length of the run. */
  readonly seconds: number;
  readonly flavour?: Flavour;
  readonly users?: number;
  /** Anonymous site visits per simulated second; 0 leaves crawlers, readers and partners out too. */
  readonly visitsPerSec?: number;
  readonly attacks?: readonly AttackName[];
  /** Attackers of each name. */
  readonly attackersEach?: number;
  readonly attackRequestsMax?: number;
  readonly attackRatePerSec?: number;
  readonly attackFlavour?: Flavour;
  readonly startMs?: number;
}

/** The requests of a mixed run, by time. */
export function mixedTraffic(settings: MixedSettings): Generator<SimRequest> {
  const random = seededRandom(settings.seed);
  const startMs = settings.startMs ?? SIM_START_MS;
  const span = { startMs, endMs: startMs + settings.seconds * 1000 };
  const flavour = settings.flavour ?? 'realistic';
  const world = makeWorld({ random: random.fork(1), users: settings.users ?? 100, flavour, startMs });
  const visitsPerSec = flavour === 'faithful' ? 0 : (settings.visitsPerSec ?? 0.15);
  const actors = [
    ...crowd(world, { random: random.fork(2), span, visitsPerSec }),
    ...attackActors(settings, world, span),
  ];
  return schedule(actors, new SampleStore({ random: random.fork(4) }));
}

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** Everybody honest: the users of the world, and the visitors and machines of the web site. */
export function crowd(
  world: World,
  options: { readonly random: Random; readonly span: Span; readonly visitsPerSec: number },
): Actor[] {
  const { random, span, visitsPerSec } = options;
  return [
    ...userActors(world, random.fork(1_000_003), span),
    ...visitActors(random.fork(2_000_029), span, visitsPerSec),
  ];
}

function userActors(world: World, random: Random, span: Span): Actor[] {
  return world.users.map((user) => ({
    id: `u${user.index}`,
    label: 'normal',
    startMs: span.startMs + Math.floor(random.next() * 5_000),
    endMs: span.endMs,
    persona: appUser(world, user, random.fork(user.index + 1)),
  }));
}

/** Site visitors arrive at random; a handful of machines is there all the time. */
function visitActors(random: Random, span: Span, visitsPerSec: number): Actor[] {
  if (visitsPerSec === 0) return [];
  const actors: Actor[] = [];
  const normal = (id: string, startMs: number, persona: Actor['persona']): void => {
    actors.push({ id, label: 'normal', startMs, endMs: span.endMs, persona });
  };
  const anywhen = () => span.startMs + Math.floor(random.next() * (span.endMs - span.startMs));
  const visits = Math.round(((span.endMs - span.startMs) / 1000) * visitsPerSec);
  const shared = `${80 + random.int(10)}.12.${random.int(256)}.9`;
  for (let i = 0; i < visits; i++)
    normal(`v${i}`, anywhen(), siteVisitor(random.fork(i + 1), random.next() < 0.05 ? shared : null));
  for (let i = 0; i < 3; i++) {
    const draw = random.fork(10_000_000 + i);
    normal(
      `c${i}`,
      span.startMs,
      crawler(draw, { meanGapMs: logBetween(draw, 900, 30_000), addresses: pick(draw, [1, 1, 4]) }),
    );
    normal(
      `m${i}`,
      span.startMs,
      monitor(draw, {
        everyMs: pick(draw, [10_000, 30_000, 60_000]),
        token: i === 0 ? newToken(draw, 5_000, false) : null,
      }),
    );
  }
  for (let i = 0; i < 2; i++) {
    const draw = random.fork(20_000_000 + i);
    const token = newToken(draw, 5_001 + i, false);
    normal(`p${i}`, span.startMs, partner(draw, { token, meanGapMs: logBetween(draw, 500, 5_000) }));
  }
  return actors;
}

function attackActors(settings: MixedSettings, world: World, span: Span): Actor[] {
  const names = settings.attacks ?? [];
  if (names.length === 0) return [];
  const random = seededRandom(settings.seed).fork(9);
  const accounts = makeWorld({
    random: random.fork(1),
    users: 400,
    flavour: 'realistic',
    startMs: span.startMs,
    firstUser: ATTACKER_ACCOUNTS,
  });
  const each = settings.attackersEach ?? 2;
  const seconds = (span.endMs - span.startMs) / 1000;
  return names.flatMap((name, kind) =>
    Array.from({ length: each }, (_, i) => {
      const draw = random.fork(100 * kind + i + 2);
      const ground: AttackGround = { world, accounts, random: draw };
      const startMs = span.startMs + Math.floor(draw.next() * seconds * 600) + Math.floor(seconds * 50);
      return attacker(
        {
          name,
          id: `${name}_${i}`,
          startMs,
          endMs: span.endMs,
          flavour: settings.attackFlavour ?? (draw.next() < 0.5 ? 'faithful' : 'realistic'),
          requestsMax: settings.attackRequestsMax ?? 600,
          ...(settings.attackRatePerSec === undefined ? {} : { ratePerSec: settings.attackRatePerSec }),
        },
        ground,
      );
    }),
  );
}
