// DOS, DDOS and extreme delete: rate and method are what is wrong. Open model: gaps are drawn, answers are not waited for.
// `faithful` draws another user agent for every request, as the WSO2 tool does; else one client has one agent.

import type { Random } from '../../domain/random.ts';
import { orderOf } from '../catalogue.ts';
import { exponential, letters, pick } from '../draw.ts';
import type { Client, Persona } from '../request.ts';
import { APIS, DELETE_APIS, ORDER_BODIES } from '../traffic-tables.ts';
import { drawAnyAgent } from '../user-agents.ts';
import { clientOf, type Flavour, type User } from '../world.ts';
import type { Call } from './calls.ts';

export interface FloodOptions {
  readonly flavour: Flavour;
  readonly ratePerSec: number;
  readonly requestsMax: number;
}

/** The first requests come slower: a ramp, not a step. */
const RAMP_REQUESTS = 20;

function gapMs(random: Random, options: FloodOptions, n: number): number {
  const ramp = options.flavour === 'realistic' && n < RAMP_REQUESTS ? 4 - (3 * n) / RAMP_REQUESTS : 1;
  return exponential(random, 1000 / options.ratePerSec) * ramp;
}

export function clientOfUser(user: User, use = 0): Client {
  const device = user.devices[0]!;
  return clientOf(device, user.apps[use % user.apps.length]!.token, user.addresses[0]!);
}

function disguised(random: Random, client: Client, flavour: Flavour): Client {
  return flavour === 'faithful' ? { ...client, agent: drawAnyAgent(random) } : client;
}

/** One user's token, address and cookie against one API, then the next. */
export function* dos(user: User, random: Random, options: FloodOptions): Persona {
  const client = { ...clientOfUser(user), agent: drawAnyAgent(random) };
  for (let n = 0; n < options.requestsMax; n++) {
    const api = APIS[Math.floor((n * APIS.length) / options.requestsMax)]!;
    yield {
      afterMs: gapMs(random, options, n),
      client: disguised(random, client, options.flavour),
      ...apiCall(random, api),
    };
  }
}

/** The same load, but every request shows another subscribed user. */
export function* ddos(users: readonly User[], random: Random, options: FloodOptions): Persona {
  for (let n = 0; n < options.requestsMax; n++) {
    const api = APIS[Math.floor((n * APIS.length) / options.requestsMax)]!;
    const client = { ...clientOfUser(pick(random, users), random.int(3)), agent: drawAnyAgent(random) };
    yield { afterMs: gapMs(random, options, n), client, ...apiCall(random, api) };
  }
}

/** A resource of the API, uniform. */
function apiCall(random: Random, api: string): Call {
  const menu = { method: 'GET', target: `/${api}/1/menu` };
  const calls: Call[] = [menu];
  if (api === 'payment')
    calls.push({ method: 'POST', target: `/${api}/1/order`, body: pick(random, ORDER_BODIES) });
  if (DELETE_APIS.some((name) => name === api))
    calls.push({ method: 'DELETE', target: `/${api}/1/order/${random.int(10_000)}` });
  return pick(random, calls);
}

/** DELETE after DELETE with one user's token: random letters as ids (faithful), or the numbers of real orders. */
export function* extremeDelete(user: User, random: Random, options: FloodOptions): Persona {
  const api = pick(random, DELETE_APIS);
  const client = { ...clientOfUser(user), agent: drawAnyAgent(random) };
  for (let n = 0; n < options.requestsMax; n++) {
    const id =
      options.flavour === 'faithful'
        ? letters(random, 10)
        : n % 3 === 0
          ? orderOf(user.index, n)
          : random.int(20_000);
    yield {
      afterMs: gapMs(random, options, n),
      client: disguised(random, client, options.flavour),
      method: 'DELETE',
      target: `/${api}/1/order/${id}`,
    };
  }
}
