// Stolen tokens and abnormal token usage: valid credentials in the wrong hands, or in the right ones at the wrong volume.
// Stolen, faithful (attack 5): a new address, cookie and agent on every request. Stolen, realistic (5b): few addresses and
// one agent.

import type { Random } from '../../domain/random.ts';
import { profileId } from '../catalogue.ts';
import { anyAddress, chance, homeAddress, pick, wordText } from '../draw.ts';
import type { Client, Persona } from '../request.ts';
import type { Gap } from '../traffic-tables.ts';
import { drawAgent, drawAnyAgent } from '../user-agents.ts';
import { type AppUse, drawGapMs, type Flavour, type User } from '../world.ts';
import { drawCall } from './calls.ts';
import { clientOfUser } from './flood.ts';

export interface ThiefOptions {
  readonly flavour: Flavour;
  readonly gap: Gap;
  readonly requestsMax: number;
}

/** Uses one user's token for the user's own mix of calls. */
export function* stolenToken(victim: User, random: Random, options: ThiefOptions): Persona {
  const use = victim.apps[0] as AppUse;
  const agent = chance(random, 0.3) ? victim.devices[0]!.agent : drawAgent(random, 'browser');
  const places = Array.from({ length: 1 + random.int(3) }, () => homeAddress(random));
  const cookie = wordText(random, 31);
  const calls = use.calls.filter((call) => call.count > 0);
  for (let n = 0; n < options.requestsMax; n++) {
    const churns = options.flavour === 'faithful';
    const client: Client = {
      kind: 'browser',
      token: use.token,
      address: churns ? anyAddress(random) : pick(random, places),
      cookie: churns ? wordText(random, 31) : cookie,
      agent: churns ? drawAnyAgent(random) : agent,
    };
    const afterMs = drawGapMs(random, options.gap);
    if (!churns && chance(random, 0.7)) yield { afterMs, client, ...richCall(random, victim.index) };
    else {
      const count = calls.length === 0 ? { api: 'news', method: 'GET' as const } : pick(random, calls);
      yield { afterMs, client, ...drawCall(random, count, { user: victim.index, flavour: options.flavour }) };
    }
  }
}

/** What a thief wants: the profile and the orders. */
function richCall(random: Random, user: number): { method: string; target: string } {
  if (chance(random, 0.4)) return { method: 'GET', target: `/account/1/profile/${profileId(user)}` };
  const call = drawCall(random, { api: 'payment', method: 'GET' }, { user, flavour: 'realistic' });
  return { method: call.method, target: call.target };
}

/** The user's own device and address, three to six times the calls. */
export function* abnormalUsage(user: User, random: Random, options: ThiefOptions): Persona {
  const scaled = user.apps.flatMap((use) =>
    use.calls.flatMap((call) => new Array<typeof call>(call.count * (3 + random.int(4))).fill(call)),
  );
  for (let n = 0; n < options.requestsMax && scaled.length > 0; n++) {
    const call = drawCall(random, pick(random, scaled), { user: user.index, flavour: options.flavour });
    yield { afterMs: drawGapMs(random, options.gap), client: clientOfUser(user), ...call };
  }
}
