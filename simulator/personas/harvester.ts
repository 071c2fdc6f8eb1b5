// Attackers that walk through what is there: scraping, BOLA id walking, low-and-slow enumeration, credential stuffing.
// Counterparts among the honest (crawler, partner, monitor) are in visitor.ts.

import type { Random } from '../../domain/random.ts';
import { ITEMS_PER_PAGE, orderOf } from '../catalogue.ts';
import { between, chance, homeAddress, letters, lognormal, pick } from '../draw.ts';
import type { Client, Persona } from '../request.ts';
import { drawAgent, drawAnyAgent } from '../user-agents.ts';
import type { User } from '../world.ts';
import { drawCall } from './calls.ts';
import { clientOfUser } from './flood.ts';

export interface HarvestOptions {
  readonly ratePerSec: number;
  readonly requestsMax: number;
  /** Addresses that the requests are spread over. */
  readonly addresses?: number;
}

/** Gaps N(1/rate, 20 %). */
function steadyGapMs(random: Random, ratePerSec: number): number {
  return Math.max(0, (1000 / ratePerSec) * (1 + 0.2 * random.normal()));
}

/** List pages in order, then every item of each page. */
export function* scraping(user: User, random: Random, options: HarvestOptions): Persona {
  const api = pick(random, ['news', 'places', 'map', 'weather', 'cricket']);
  const base = clientOfUser(user);
  const addresses = Array.from({ length: options.addresses ?? 1 }, () => homeAddress(random));
  let page = random.int(500);
  for (let n = 0; n < options.requestsMax; n++) {
    const place = n % (ITEMS_PER_PAGE + 1);
    if (place === 0) page++;
    const item = page * ITEMS_PER_PAGE + place - 1;
    const target = place === 0 ? `/${api}/1/items?page=${page}` : `/${api}/1/items/${item}`;
    const client = { ...base, address: pick(random, addresses) };
    yield { afterMs: steadyGapMs(random, options.ratePerSec), client, method: 'GET', target };
  }
}

/** From the own order id outwards, with some of the user's own calls in between. */
export function* bola(user: User, random: Random, options: HarvestOptions): Persona {
  const client = clientOfUser(user);
  const cover = between(random, 0.1, 0.5);
  const stepping = chance(random, 0.7);
  const step = chance(random, 0.5) ? 1 : -1;
  const method = chance(random, 0.05) ? pick(random, ['PUT', 'DELETE']) : 'GET';
  let order = orderOf(user.index, random.int(10));
  const calls = user.apps.flatMap((use) => use.calls.filter((call) => call.count > 0));
  for (let n = 0; n < options.requestsMax; n++) {
    const afterMs = lognormal(random, 1000 / options.ratePerSec, 0.4);
    if (calls.length > 0 && chance(random, cover)) {
      yield {
        afterMs,
        client,
        ...drawCall(random, pick(random, calls), { user: user.index, flavour: 'realistic' }),
      };
      continue;
    }
    order = stepping ? order + step : orderOf(user.index, 0) + random.int(10_000) - 5_000;
    yield { afterMs, client, method, target: `/payment/1/order/${(order + 20_000) % 20_000}` };
  }
}

/** One token for a day: gaps of a minute and more, orders in sequence, a third of the calls a copy of the user's own. */
export function* lowSlow(user: User, random: Random, options: Pick<HarvestOptions, 'requestsMax'>): Persona {
  const client = clientOfUser(user);
  const calls = user.apps.flatMap((use) => use.calls.filter((call) => call.count > 0));
  let order = random.int(20_000);
  for (let n = 0; n < options.requestsMax; n++) {
    const afterMs = lognormal(random, 75_000, 0.5);
    if (calls.length > 0 && chance(random, 1 / 3)) {
      yield {
        afterMs,
        client,
        ...drawCall(random, pick(random, calls), { user: user.index, flavour: 'realistic' }),
      };
      continue;
    }
    order = (order + 1) % 20_000;
    yield { afterMs, client, method: 'GET', target: `/payment/1/order/${order}` };
  }
}

/** Names and passwords from a list; 0.5 % are right. Few addresses with one agent, or many with six. */
export function* stuffing(random: Random, options: HarvestOptions): Persona {
  const count = options.addresses ?? 3;
  const agents = Array.from({ length: count > 10 ? 6 : 1 }, () => drawAnyAgent(random));
  const clients: Client[] = Array.from({ length: count }, () => ({
    kind: 'script',
    address: homeAddress(random),
    agent: pick(random, agents),
    token: null,
    cookie: null,
  }));
  for (let n = 0; n < options.requestsMax; n++) {
    const password = chance(random, 0.005) ? 'right' : letters(random, 6);
    yield {
      afterMs: steadyGapMs(random, options.ratePerSec),
      client: clients[n % count] as Client,
      method: 'POST',
      target: '/account/1/login',
      body: `{"user":"${letters(random, 8)}","password":"${password}"}`,
    };
  }
}

/** A fresh account's client: an attacker who signed up. */
export function freshClient(random: Random, token: string | null): Client {
  return {
    kind: 'browser',
    address: homeAddress(random),
    agent: drawAgent(random, 'browser'),
    token,
    cookie: null,
  };
}
