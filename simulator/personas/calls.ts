// Turns "a GET on the payment API" into a concrete call: a menu, a list, an item or one of the caller's own orders.
// Shared by users and by attackers that copy them. Faithful worlds call exactly what the WSO2 tool calls.

import type { Random } from '../../domain/random.ts';
import { ITEM_COUNT, ITEMS_PER_PAGE, orderOf, profileId } from '../catalogue.ts';
import { chance, pick, zipf } from '../draw.ts';
import { type CallCount, ORDER_BODIES } from '../traffic-tables.ts';
import type { Flavour } from '../world.ts';

export interface Call {
  readonly method: string;
  readonly target: string;
  readonly body?: string;
  readonly conditional?: boolean;
}

/** The tool's calls: `/<api>/1/menu`, `/<api>/1/order`, `/<api>/1/order/<0..1000>`. */
function faithfulCall(random: Random, count: Pick<CallCount, 'api' | 'method'>): Call {
  const { api, method } = count;
  if (method === 'POST') return { method, target: `/${api}/1/order`, body: pick(random, ORDER_BODIES) };
  if (method === 'DELETE') return { method, target: `/${api}/1/order/${random.int(1001)}` };
  return { method, target: `/${api}/1/menu` };
}

/** A call of this user; realistic worlds browse lists, items, orders and the profile, and send conditional GETs. */
export function drawCall(
  random: Random,
  count: Pick<CallCount, 'api' | 'method'>,
  who: { readonly user: number; readonly flavour: Flavour },
): Call {
  if (who.flavour === 'faithful') return faithfulCall(random, count);
  const { api, method } = count;
  const { user } = who;
  if (method === 'POST') return faithfulCall(random, count);
  if (method === 'DELETE') return { method, target: `/${api}/1/order/${orderOf(user, random.int(10))}` };
  const conditional = chance(random, 0.03);
  const draw = random.next();
  if (draw < 0.4) return { method, target: `/${api}/1/menu`, conditional };
  if (draw < 0.5) return { method, target: listTarget(random, api), conditional };
  if (draw < 0.55) return { method, target: `/account/1/profile/${profileId(user)}` };
  if (api === 'payment') {
    const order = chance(random, 0.001) ? random.int(20_000) : orderOf(user, random.int(10));
    return { method, target: `/payment/1/order/${order}` };
  }
  const item = chance(random, 0.02) ? ITEM_COUNT + random.int(1000) : zipf(random, ITEM_COUNT, 0.9);
  return { method, target: `/${api}/1/items/${item}`, conditional };
}

function listTarget(random: Random, api: string): string {
  const page = `/${api}/1/items?page=${zipf(random, ITEM_COUNT / ITEMS_PER_PAGE, 1.4)}`;
  const draw = random.next();
  if (draw < 0.7) return page;
  if (draw < 0.9) return `${page}&sort=name&q=${pick(random, ['tea', 'caf%C3%A9', 'two%20words', 'rain'])}`;
  return `${page}&filter[kind]=new&fields=id,name,price`;
}
