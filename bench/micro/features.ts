// What does the feature engine cost per request? observe + outcome, alone and with the route, hot and under a flood of new keys.
// Prints nanoseconds per request (median of rounds); `--json` prints one line of JSON last. Run: node bench/micro/features.ts

import { FEATURE_COUNT } from '../../domain/features.ts';
import { HeadView } from '../../domain/head-view.ts';
import { newRequestIdentity, ownPrincipal, type RequestIdentity } from '../../domain/identity.ts';
import { seededRandom } from '../../domain/random.ts';
import { FeatureEngine } from '../../feature-engine/engine.ts';
import { RouteTable } from '../../feature-engine/routes.ts';

const ROUNDS = 9;
const REQUESTS = 200_000;
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const START_MS = 1_760_000_000_000;

interface Case {
  readonly name: string;
  readonly identities: number;
  readonly addresses: number;
  readonly outcomes: boolean;
  readonly observe: boolean;
  readonly paths: number;
}

const CASES: Case[] = [
  { name: 'route, cached', identities: 1, addresses: 1, outcomes: false, observe: false, paths: 100 },
  { name: 'route, new path', identities: 1, addresses: 1, outcomes: false, observe: false, paths: 50_000 },
  { name: 'observe', identities: 2000, addresses: 1500, outcomes: false, observe: true, paths: 0 },
  { name: 'observe + outcome', identities: 2000, addresses: 1500, outcomes: true, observe: true, paths: 0 },
  {
    name: 'route + observe + outcome',
    identities: 2000,
    addresses: 1500,
    outcomes: true,
    observe: true,
    paths: 100,
  },
  {
    name: 'all, 20,000 of each',
    identities: 20_000,
    addresses: 20_000,
    outcomes: true,
    observe: true,
    paths: 1000,
  },
  {
    name: 'all, new keys each time',
    identities: 1e9,
    addresses: 1e9,
    outcomes: true,
    observe: true,
    paths: 1000,
  },
];

function headsOf(count: number): HeadView[] {
  return Array.from({ length: count }, (_, i) => {
    const head = new HeadView(new Uint8Array(1024));
    head.begin('GET', `/payment/1/order/${i}?page=2`);
    head.add('host', 'shop.example');
    head.userAgentField = head.add('user-agent', AGENT);
    head.add('accept', 'application/json');
    return head;
  });
}

function randomKeys(who: RequestIdentity, draw: () => number, one: Case): void {
  const identity = draw() % one.identities;
  const address = draw() % one.addresses;
  for (let i = 0; i < 4; i++) {
    who.key[i] = Math.imul(identity + 1, 0x9e3779b1 + 2 * i);
    who.addressKey[i] = Math.imul(address + 7, 0x85ebca6b + 2 * i);
  }
  ownPrincipal(who);
}

/** Nanoseconds per request of one round. */
function round(one: Case, seed: number): number {
  const random = seededRandom(seed);
  const engine = new FeatureEngine({ startedMs: START_MS });
  const routes = new RouteTable();
  const heads = headsOf(Math.max(one.paths, 1));
  const out = new Float64Array(FEATURE_COUNT);
  const who = newRequestIdentity();
  const request = { head: heads[0]!, who, routeHash: 1, nowMs: START_MS };
  const outcome = { status: 200, latencyMs: 3, bytesIn: 0, bytesOut: 900, atMs: START_MS };
  const draws = new Uint32Array(4096).map(() => random.uint32());
  let drawn = 0;
  const draw = () => draws[drawn++ & 4095]! + (drawn >>> 12) * 2654435761;
  const begin = process.hrtime.bigint();
  for (let i = 0; i < REQUESTS; i++) {
    request.head = heads[i % heads.length]!;
    if (one.paths > 0) request.routeHash = routes.resolve(request.head).hash;
    if (!one.observe) continue;
    request.nowMs = START_MS + i;
    randomKeys(who, draw, one);
    engine.observe(request, out);
    if (!one.outcomes) continue;
    outcome.atMs = request.nowMs + 3;
    engine.outcome(engine.lastIdentity, engine.lastAddress, outcome);
  }
  return Number(process.hrtime.bigint() - begin) / REQUESTS;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function main(): void {
  const results = CASES.map((one) => ({
    name: one.name,
    nsPerRequest: Math.round(median(Array.from({ length: ROUNDS }, (_, i) => round(one, i + 1)))),
  }));
  for (const { name, nsPerRequest } of results) console.log(`${name.padEnd(28)} ${nsPerRequest} ns`);
  if (process.argv.includes('--json')) console.log(JSON.stringify({ bench: 'features', results }));
}

main();
