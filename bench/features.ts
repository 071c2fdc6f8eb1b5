// What does a request cost the feature engine? Update and extraction of the whole vector, identities in random order, and
// the heap bytes it leaves behind. Heads are parsed into the engine's memory beforehand, as the proxy does; the vector is copied
// out, as it goes to the scoring core. `npm run bench:features`; `-- --json` prints one line of JSON last. The parts:
// bench/micro/profiles.ts. Options: --identities N (default 25000), --requests N (default 400000, a quarter more to warm up).

import { parseArgs } from 'node:util';
import { FEATURE_COUNT, placeOf } from '../domain/features.ts';
import { HeadView } from '../domain/head-view.ts';
import { newRequestIdentity, ownPrincipal } from '../domain/identity.ts';
import { seededRandom } from '../domain/random.ts';
import { FeatureEngine } from '../feature-engine/engine.ts';
import { RouteTable } from '../feature-engine/routes.ts';
import { mix32 } from '../feature-engine/sketch.ts';

const START_MS = 1_760_000_000_000;
const HEADS = 512;
const PROFILE_PLACE = placeOf('session_calls');
const HEAP_REQUESTS = 5000;
const HEAP_ROUNDS = 21;
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** Parses the i-th of the heads into `head`. */
function fillHead(head: HeadView, i: number): HeadView {
  const resources = ['order', 'items', 'profile', 'cart'];
  const path = i % 5 === 0 ? `/shop/1/${resources[i % 4]}?page=${i % 9}` : `/shop/1/${resources[i % 4]}/${i}`;
  head.begin(i % 11 === 0 ? 'POST' : 'GET', path);
  head.add('host', 'shop.example');
  head.userAgentField = head.add('user-agent', `${AGENT} b${i % 7}`);
  head.add('accept', 'application/json');
  return head;
}

/** Sends one request and its answer through the engine: identities and addresses at random. */
function newCaller(engine: FeatureEngine, identities: number) {
  const random = seededRandom(1);
  const head = engine.headView;
  const routes = Array.from(
    { length: HEADS },
    (_, i) => new RouteTable().resolve(fillHead(new HeadView(), i)).hash,
  );
  const draws = Uint32Array.from({ length: 65_536 }, () => random.uint32());
  const out = new Float64Array(FEATURE_COUNT);
  const request = { head, who: newRequestIdentity(), routeHash: 0, nowMs: START_MS };
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
      fillHead(head, pick);
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
    /** Did the last request count into a profile? */
    hadProfile() {
      return !Number.isNaN(out[PROFILE_PLACE]!);
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

/** Microseconds of each observe, the clock's own subtracted, sorted: all, and those with and without a profile. */
function timed(caller: Caller, requests: number) {
  const all = new Float64Array(requests);
  const profiled = new Uint8Array(requests);
  const own = clockUs();
  for (let i = 0; i < requests; i++) {
    caller.prepare();
    const begin = performance.now();
    caller.observe();
    all[i] = (performance.now() - begin) * 1000 - own;
    profiled[i] = caller.hadProfile() ? 1 : 0;
    caller.answer();
  }
  const withProfile = all.filter((_, i) => profiled[i] === 1).sort();
  const without = all.filter((_, i) => profiled[i] === 0).sort();
  return { all: all.sort(), withProfile, without };
}

/** Median and 99th percentile. */
function percentiles(times: Float64Array): { p50: number; p99: number } {
  const at = (share: number) =>
    Number((times[Math.floor(share * (times.length - 1))] ?? Number.NaN).toFixed(2));
  return { p50: at(0.5), p99: at(0.99) };
}

function told(what: string, times: Float64Array): void {
  const { p50, p99 } = percentiles(times);
  console.log(`${what}: median ${p50} us, p99 ${p99} us (${times.length} requests)`);
}

/** The same with so few identities that all rows stay in the cache: what the work itself costs. */
function inCache(requests: number): Float64Array {
  const engine = new FeatureEngine({ identities: 1000, profiles: 1000, startedMs: START_MS });
  const caller = newCaller(engine, 100);
  timed(caller, requests);
  return timed(caller, requests).all;
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
  const planBytes = engine.memoryPlan().reduce((sum, item) => sum + item.bytes, 0);
  const result = {
    update_extract_us: percentiles(times.all),
    identities,
    identity_bytes: Math.round(planBytes / identities),
    heap_bytes_per_request: Number(Math.max(heapBytes(caller), 0).toFixed(1)),
  };
  console.log(`update and extraction of ${FEATURE_COUNT} features, ${identities} identities in random order`);
  told('all', times.all);
  told('with a profile', times.withProfile);
  told('without', times.without);
  told('100 identities, all in the cache', inCache(Math.ceil(requests / 4)));
  console.log(`${result.identity_bytes} bytes an identity, all included`);
  console.log(`${result.heap_bytes_per_request} heap bytes a request`);
  console.log('profiles', engine.stats.profiles);
  if (values.json === true) console.log(JSON.stringify(result));
}

main();
