// What does a request cost the feature engine? Update and extraction of the whole vector, identities in random order, and the
// heap bytes it leaves behind. `npm run bench:features`; `-- --json` prints one line of JSON last. The parts:
// bench/micro/profiles.ts. Options: --identities N (default 25000), --requests N (default 400000, a quarter more to warm up).

import { parseArgs } from 'node:util';
import { FEATURE_COUNT } from '../domain/features.ts';
import { HeadView } from '../domain/head-view.ts';
import { newRequestIdentity, ownPrincipal } from '../domain/identity.ts';
import { seededRandom } from '../domain/random.ts';
import { FeatureEngine } from '../feature-engine/engine.ts';
import { RouteTable } from '../feature-engine/routes.ts';
import { mix32 } from '../feature-engine/sketch.ts';

const START_MS = 1_760_000_000_000;
const HEADS = 512;
const HEAP_REQUESTS = 5000;
const HEAP_ROUNDS = 21;
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

function heads(): HeadView[] {
  const resources = ['order', 'items', 'profile', 'cart'];
  return Array.from({ length: HEADS }, (_, i) => {
    const head = new HeadView(new Uint8Array(512));
    const path =
      i % 5 === 0 ? `/shop/1/${resources[i % 4]}?page=${i % 9}` : `/shop/1/${resources[i % 4]}/${i}`;
    head.begin(i % 11 === 0 ? 'POST' : 'GET', path);
    head.add('host', 'shop.example');
    head.userAgentField = head.add('user-agent', `${AGENT} b${i % 7}`);
    head.add('accept', 'application/json');
    return head;
  });
}

/** Sends one request and its answer through the engine: identities and addresses at random. */
function newCaller(engine: FeatureEngine, identities: number) {
  const random = seededRandom(1);
  const some = heads();
  const routes = some.map((head) => new RouteTable().resolve(head).hash);
  const draws = Uint32Array.from({ length: 65_536 }, () => random.uint32());
  const out = new Float64Array(FEATURE_COUNT);
  const request = { head: some[0] as HeadView, who: newRequestIdentity(), routeHash: 0, nowMs: START_MS };
  const outcome = { status: 200, latencyMs: 3, bytesIn: 0, bytesOut: 900, atMs: START_MS };
  let drawn = 0;
  const next = (n: number) => {
    const draw = mix32(draws[drawn & 65_535]! ^ (drawn >>> 16));
    drawn++;
    return Math.floor((draw / 4294967296) * n);
  };
  return {
    prepare() {
      const pick = next(HEADS);
      request.head = some[pick]!;
      request.routeHash = routes[pick]!;
      request.nowMs += 1;
      outcome.status = next(20) === 0 ? 404 : 200;
      const identity = next(identities);
      const address = next(identities);
      for (let i = 0; i < 4; i++) {
        request.who.key[i] = mix32(identity * 4 + i);
        request.who.addressKey[i] = mix32(~(address * 4 + i));
      }
      ownPrincipal(request.who);
    },
    observe() {
      engine.observe(request, out);
    },
    answer() {
      outcome.atMs = request.nowMs;
      engine.outcome(engine.lastIdentity, engine.lastAddress, outcome, engine.lastTrace);
    },
  };
}

type Caller = ReturnType<typeof newCaller>;

/** What reading the clock twice costs, microseconds: median of many. */
function clockUs(): number {
  const times = Float64Array.from({ length: 10_000 }, () => {
    const begin = performance.now();
    return (performance.now() - begin) * 1000;
  });
  return times.sort()[times.length >> 1] ?? 0;
}

/** Microseconds of each observe, the clock's own subtracted, sorted. */
function timed(caller: Caller, requests: number): Float64Array {
  const times = new Float64Array(requests);
  const own = clockUs();
  for (let i = 0; i < requests; i++) {
    caller.prepare();
    const begin = performance.now();
    caller.observe();
    times[i] = (performance.now() - begin) * 1000 - own;
    caller.answer();
  }
  return times.sort();
}

/** Heap bytes per request, the harness's own subtracted: median of rounds; one in which the collector ran reads too low. */
function heapBytes(caller: Caller): number {
  const grown = (work: () => void) => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < HEAP_REQUESTS; i++) work();
    return (process.memoryUsage().heapUsed - before) / HEAP_REQUESTS;
  };
  const rounds = Array.from({ length: HEAP_ROUNDS }, () => {
    const own = grown(() => caller.prepare());
    const all = grown(() => {
      caller.prepare();
      caller.observe();
      caller.answer();
    });
    return all - own;
  });
  return rounds.sort((a, b) => a - b)[HEAP_ROUNDS >> 1] ?? Number.NaN;
}

function main(): void {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean' },
      identities: { type: 'string', default: '25000' },
      requests: { type: 'string', default: '400000' },
    },
  });
  const identities = Number(values.identities);
  const requests = Number(values.requests);
  const engine = new FeatureEngine({ identities, startedMs: START_MS });
  const caller = newCaller(engine, identities);
  timed(caller, Math.ceil(requests / 4));
  const times = timed(caller, requests);
  const at = (share: number) => Number(times[Math.floor(share * (times.length - 1))]!.toFixed(2));
  const planBytes = engine.memoryPlan().reduce((sum, item) => sum + item.bytes, 0);
  const result = {
    update_extract_us: { p50: at(0.5), p99: at(0.99) },
    identities,
    identity_bytes: Math.round(planBytes / identities),
    heap_bytes_per_request: Number(Math.max(heapBytes(caller), 0).toFixed(1)),
  };
  console.log(`update and extraction of ${FEATURE_COUNT} features, ${identities} identities in random order`);
  console.log(`median ${result.update_extract_us.p50} us, p99 ${result.update_extract_us.p99} us`);
  console.log(`${result.identity_bytes} bytes an identity, all included`);
  console.log(`${result.heap_bytes_per_request} heap bytes a request`);
  console.log('profiles', engine.stats.profiles);
  if (values.json === true) console.log(JSON.stringify(result));
}

main();
