// Puts attackers together: which persona stands for each attack name, with whose credentials, how fast and for how long.
// Every rate and volume is drawn from one place, so that training worlds and demo worlds can draw from other ranges.

import type { Random } from '../domain/random.ts';
import { newToken } from './catalogue.ts';
import { chance, logBetween, pick } from './draw.ts';
import { ddos, dos, extremeDelete } from './personas/flood.ts';
import { bola, freshClient, lowSlow, scraping, stuffing } from './personas/harvester.ts';
import { scanner } from './personas/scanner.ts';
import { abnormalUsage, stolenToken } from './personas/thief.ts';
import type { Actor, AttackName, Persona } from './request.ts';
import { ATTACK_GAPS, type Gap } from './traffic-tables.ts';
import type { Flavour, User, World } from './world.ts';

export interface AttackPlan {
  readonly name: AttackName;
  /** Unique in the run; becomes the actor id. */
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly flavour: Flavour;
  readonly requestsMax: number;
  /** Requests per second for attacks that have a rate; drawn from the attack's range if absent. */
  readonly ratePerSec?: number;
}

export interface AttackGround {
  /** Users who are there: victims of stolen tokens and DDOS. */
  readonly world: World;
  /** Accounts that only attackers use. */
  readonly accounts: World;
  readonly random: Random;
}

/** Rates per second: lowest and highest. */
const RATES: Record<AttackName, readonly [number, number]> = {
  dos: [5, 120],
  ddos: [10, 120],
  extreme_delete: [1, 13],
  scraping: [2.5, 8],
  bola: [0.3, 2],
  stuffing: [2, 12],
  stolen_token: [1, 1],
  abnormal_usage: [1, 1],
  low_slow: [1, 1],
};

export function attacker(plan: AttackPlan, ground: AttackGround): Actor {
  const { name, id, startMs, endMs } = plan;
  const [low, high] = RATES[name];
  const ratePerSec = plan.ratePerSec ?? logBetween(ground.random, low, high);
  return { id, label: name, startMs, endMs, persona: personaOf({ ...plan, ratePerSec }, ground) };
}

function personaOf(plan: AttackPlan & { readonly ratePerSec: number }, ground: AttackGround): Persona {
  const { random, world, accounts } = ground;
  const { flavour, ratePerSec, requestsMax } = plan;
  const account = pick(random, accounts.users);
  switch (plan.name) {
    case 'dos':
      return dos(account, random, { flavour, ratePerSec, requestsMax });
    case 'ddos':
      return ddos(world.users, random, { flavour, ratePerSec, requestsMax });
    case 'extreme_delete':
      return extremeDelete(account, random, { flavour, ratePerSec, requestsMax });
    case 'stolen_token':
      return stolenToken(pick(random, world.users), random, { flavour, gap: thiefGap(random), requestsMax });
    case 'abnormal_usage':
      return abnormalUsage(pick(random, world.users), random, {
        flavour,
        gap: thiefGap(random),
        requestsMax,
      });
    case 'scraping':
      return chance(random, 0.5)
        ? scraping(account, random, { ratePerSec, requestsMax, addresses: chance(random, 0.3) ? 50 : 1 })
        : scan(account, random, { ratePerSec: logBetween(random, 0.7, 15), requestsMax });
    case 'bola':
      return bola(account, random, { ratePerSec, requestsMax });
    case 'low_slow':
      return lowSlow(account, random, { requestsMax });
    case 'stuffing':
      return stuffing(random, { ratePerSec, requestsMax, addresses: 1 + random.int(3) });
  }
}

function scan(account: User, random: Random, rate: { ratePerSec: number; requestsMax: number }): Persona {
  const token = chance(random, 0.3) ? newToken(random, account.index, account.jwt) : null;
  return scanner(random, { client: freshClient(random, token), ...rate });
}

/** Patterns a1 and a3, and what lies between: those that show within minutes. */
function thiefGap(random: Random): Gap {
  if (chance(random, 0.3))
    return pick(
      random,
      ATTACK_GAPS.filter((gap) => gap.mean < 10),
    );
  const mean = logBetween(random, 0.4, 8);
  return { mean, sd: mean * 1.5 };
}
