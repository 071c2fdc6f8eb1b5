// A person with one or more apps: rounds of calls drawn from the person's mix, with the recorded gaps between them.
// Realistic worlds add what people do: two devices, moving, new carrier addresses, token refresh, logins, retries, and
// front ends that send several calls at once.
// The process is that of the WSO2 tool (traffic.md section 3); the additions are those of section 6.

import type { Random } from '../../domain/random.ts';
import { newToken } from '../catalogue.ts';
import { between, carrierAddress, chance, pick, wordText } from '../draw.ts';
import type { Answer, Client, Persona } from '../request.ts';
import { type AppUse, clientOf, type Device, drawGapMs, type User, type World } from '../world.ts';
import { type Call, drawCall } from './calls.ts';

const TOKEN_LIFE_MS = 3_600_000;

interface Presence {
  device: Device;
  address: string;
}

/** Lives for ever (the schedule ends it), or not at all if the drawn counts are all zero. */
export function* appUser(world: World, user: User, random: Random): Persona {
  const here: Presence = { device: user.devices[0] as Device, address: user.addresses[0] as string };
  let nowMs = world.startMs;
  let waitMs = between(random, 0, 1000);
  if (world.flavour === 'realistic' && chance(random, 0.3)) {
    yield { afterMs: waitMs, client: anonymous(here), ...loginCall(random) };
    waitMs = between(random, 200, 2500);
  }
  const apps = user.apps.filter((use) => roundMix(use).length > 0);
  while (apps.length > 0) {
    const use = pick(random, apps);
    const mix = roundMix(use);
    if (world.flavour === 'realistic') startRound(user, here, random);
    for (let n = 0; n < mix.length; n++) {
      waitMs += nextGapMs(user, use, { random, n });
      nowMs += waitMs;
      if (world.flavour === 'realistic' && nowMs - use.tokenBornMs > TOKEN_LIFE_MS * 0.95) {
        yield {
          afterMs: waitMs,
          client: clientOf(here.device, use.token, here.address),
          method: 'POST',
          target: '/token',
        };
        use.token = newToken(random, user.index, user.jwt);
        use.tokenBornMs = nowMs;
        waitMs = between(random, 50, 300);
      }
      const count = pick(random, mix);
      const call = drawCall(random, count, { user: user.index, flavour: world.flavour });
      const client = clientOf(here.device, use.token, here.address);
      const answer = yield { afterMs: waitMs, client, ...call };
      waitMs = 0;
      if (answer.status >= 500 && world.flavour === 'realistic')
        yield* retries(user, { client, call, answer }, random);
    }
    waitMs = Math.abs(Math.trunc(random.normal() * 10)) * 1000;
  }
}

/** Gaps follow the pattern; front ends that send calls at once gather the gaps before each bunch. */
function nextGapMs(user: User, use: AppUse, at: { random: Random; n: number }): number {
  const { random, n } = at;
  if (user.callsAtOnce === 1) return drawGapMs(random, use.gap);
  if (n % user.callsAtOnce !== 0) return between(random, 1, 120);
  let gapMs = 0;
  for (let i = 0; i < user.callsAtOnce; i++) gapMs += drawGapMs(random, use.gap);
  return gapMs;
}

/** One entry per call of the round; the largest share gives a little to those far below it, as the tool does. */
function roundMix(use: AppUse): Pick<AppUse['calls'][number], 'api' | 'method'>[] {
  const n = use.calls.reduce((sum, call) => sum + call.count, 0);
  if (n === 0) return [];
  const shares = use.calls.map((call) => call.count / n);
  for (let i = 0; i < shares.length; i++) {
    const largest = shares.indexOf(Math.max(...shares));
    if ((shares[largest] as number) - (shares[i] as number) < 0.5) continue;
    shares[i] = (shares[i] as number) + 0.075;
    shares[largest] = (shares[largest] as number) - 0.075;
  }
  return shares.flatMap((share, i) => {
    const { api, method } = use.calls[i] as AppUse['calls'][number];
    return new Array<{ api: string; method: typeof method }>(Math.round(share * n)).fill({ api, method });
  });
}

/** Where and with what the user is in this round. */
function startRound(user: User, here: Presence, random: Random): void {
  if (user.devices.length > 1 && chance(random, 0.3)) here.device = pick(random, user.devices);
  if (user.addresses.length > 1 && chance(random, 0.08)) here.address = pick(random, user.addresses);
  if (user.carrier >= 0 && chance(random, 0.1)) here.address = carrierAddress(random, user.carrier);
  if (here.device.cookie !== null && chance(random, 0.02)) here.device.cookie = wordText(random, 31);
}

/** Up to two repeats with backoff, or five at once from clients that know no better. */
function* retries(
  user: User,
  failed: { client: Client; call: Call; answer: Answer },
  random: Random,
): Persona {
  const { client, call } = failed;
  if (call.method === 'POST') return;
  for (let k = 0; k < (user.storms ? 5 : 2); k++) {
    const backoffMs = 200 * 2 ** k * between(random, 0.5, 1.5);
    const answer = yield { afterMs: user.storms ? between(random, 1, 20) : backoffMs, client, ...call };
    if (answer.status < 500) return;
  }
}

function loginCall(random: Random): Call {
  const password = chance(random, 0.96) ? 'right' : 'wrong';
  return {
    method: 'POST',
    target: '/account/1/login',
    body: `{"user":"u${random.int(9999)}","password":"${password}"}`,
  };
}

function anonymous(here: Presence): Client {
  const { kind, agent, cookie } = here.device;
  return { kind, agent, cookie, token: null, address: here.address };
}
