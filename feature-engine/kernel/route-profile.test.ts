// Profiles of routes against their definition, recomputed from the full list of good answers; floods of routes; and through the
// engine: an attack on a route whose parameters are known.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeOf } from '../../domain/features.ts';
import { ROUTE_PROFILE_FEATURES } from '../../domain/features-route-profile.ts';
import { newRequestIdentity, ownPrincipal } from '../../domain/identity.ts';
import { FeatureEngine } from '../engine.ts';
import { mix32 } from '../sketch.ts';
import { fillHead, HeadReader } from '../testing/head-reader.ts';
import { plainDecode } from '../testing/plain-head.ts';
import { outOfRange } from '../testing/ranges.ts';
import { HEAD_CALL } from './head-kernels.ts';
import type { KernelVariant } from './module.ts';
import { configureRouteProfiles, ROUTE_PROFILES_BYTES } from './route-kernels.ts';
import { CALL } from './row-kernels.ts';

const FEATURES = ROUTE_PROFILE_FEATURES.length;
const TRACE_BYTES = 128;
const ANSWERS_MIN = 50;

class Routes {
  readonly reader: HeadReader;
  readonly out: Float64Array;
  readonly #outAt: number;
  readonly #traceAt: number;

  constructor(variant: KernelVariant) {
    this.reader = new HeadReader(variant, ROUTE_PROFILES_BYTES + 4 * 64 + 8 * FEATURES + TRACE_BYTES);
    const { memory } = this.reader;
    this.#outAt = memory.take(8 * FEATURES);
    this.#traceAt = memory.take(TRACE_BYTES);
    this.out = new Float64Array(memory.buffer, this.#outAt, FEATURES);
    configureRouteProfiles(memory, 0);
  }

  observe(route: number, target: string): number[] {
    const { memory, heads } = this.reader;
    const { kernels } = memory;
    this.reader.read(fillHead(heads.view, { method: 'GET', target, fields: [], agent: -1 }));
    memory.words[(kernels.callAt.value + CALL.route) / 4] = route;
    kernels.routeProfileObserve(this.#outAt);
    kernels.routeProfileKeep(this.#traceAt);
    expect(outOfRange(ROUTE_PROFILE_FEATURES, this.out)).toEqual([]);
    return [...this.out];
  }

  /** The last observed request had a good answer. */
  answered(): void {
    this.reader.memory.kernels.routeProfileAnswered(this.#traceAt);
  }

  get path(): number {
    return this.reader.word(HEAD_CALL.path);
  }

  get names(): number[] {
    return this.reader.found.object.params.map(({ key }) => key);
  }
}

const CLASSES = [
  /[a-z]/,
  /[A-Z]/,
  /[0-9]/,
  /[-._~]/,
  /[ +]/,
  /['";<>()|`\x24{}\\]/,
  /[!#%&*,/:=?@[\]^]/,
  /[^ -~]/,
];

interface Seen {
  readonly target: number;
  readonly query: number;
  readonly longest: number;
  readonly classes: readonly number[];
  readonly bytes: readonly string[];
  readonly names: readonly number[];
  readonly path: number;
}

/** One request as the definitions see it; `names` and `path` are hashes. */
function seen(target: string, hashes: { readonly names: readonly number[]; readonly path: number }): Seen {
  const query = target.includes('?') ? target.slice(target.indexOf('?') + 1) : '';
  const raw = query
    .split('&')
    .map((param) => (param.includes('=') ? param.slice(param.indexOf('=') + 1) : ''));
  const text = raw.map((value) => plainDecode(value).text).join('');
  return {
    ...hashes,
    ...{ target: target.length, query: query.length, longest: Math.max(...raw.map((value) => value.length)) },
    classes: CLASSES.flatMap((pattern, i) => (pattern.test(text) ? [i] : [])),
    bytes: [...new Set(text)].filter((char) => char < '\x80'),
  };
}

const bitsOf = (hash: number) => [hash & 255, (hash >>> 16) & 255];

/** Distance from the running mean, in running mean deviations, rounded as they are kept. */
function off(lengths: readonly number[], value: number): number {
  let mean = 0;
  let deviation = 0;
  for (const [i, length] of lengths.entries()) {
    const by = Math.min(i + 1, 64);
    const away = length - mean;
    mean = Math.fround(mean + away / by);
    deviation = i === 0 ? 0 : Math.fround(deviation + (Math.abs(away) - deviation) / by);
  }
  return Math.fround((value - mean) / (deviation + 1));
}

/** The features of a request on a route with these good answers. */
function wanted(good: readonly Seen[], now: Seen): number[] {
  if (good.length < ANSWERS_MIN) return [good.length, ...new Array(FEATURES - 1).fill(Number.NaN)];
  const paths = new Set(good.flatMap(({ path }) => bitsOf(path)));
  const names = new Set(good.flatMap((one) => one.names.flatMap(bitsOf)));
  const classes = new Set(good.flatMap((one) => one.classes));
  const bytes = new Set(good.flatMap((one) => one.bytes));
  return [
    good.length,
    paths.size > 128 ? Number.NaN : Number(!bitsOf(now.path).every((bit) => paths.has(bit))),
    now.names.filter((name) => !bitsOf(name).every((bit) => names.has(bit))).length,
    ...(['target', 'query', 'longest'] as const).map((part) =>
      off(
        good.map((one) => one[part]),
        now[part],
      ),
    ),
    now.classes.filter((one) => !classes.has(one)).length,
    now.bytes.filter((byte) => !bytes.has(byte)).length,
  ];
}

const value = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 50 }).map(String) },
  { weight: 3, arbitrary: fc.constantFrom('date', 'name', 'New York', 'a-b') },
  fc.constantFrom("' OR 1=1", '%27', '%2527x', '%', '<b>', '\x00é', '{"a":[1]}', 'x'.repeat(300)),
);
const param = fc.tuple(fc.constantFrom('page', 'sort', 'q', 'id', 'debug', ''), value);
const request = fc.record({
  route: fc.constantFrom(1, 2, 130),
  path: fc.oneof(
    { weight: 3, arbitrary: fc.constant('/orders') },
    fc.nat({ max: 120 }).map((n) => `/orders/${n}`),
  ),
  params: fc.array(param, { maxLength: 10 }),
  good: fc.boolean(),
});

describe.each(['release', 'debug'] as const)('profiles of routes (%s)', (variant) => {
  it('equal the full list of good answers', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 250, maxLength: 700 }), (requests) => {
        const routes = new Routes(variant);
        const lists = new Map<number, Seen[]>();
        for (const { route, path, params, good } of requests) {
          const query = params.map(([name, text], i) => (i % 7 === 6 ? name : `${name}=${text}`)).join('&');
          const target = query === '' ? path : `${path}?${query}`;
          const list = lists.get(route) ?? [];
          lists.set(route, list);
          const got = routes.observe(route, target);
          const now = seen(target, { names: routes.names, path: routes.path });
          expect(got).toEqual(wanted(list, now));
          if (!good) continue;
          routes.answered();
          list.push(now);
        }
      }),
      // Shrinking hundreds of requests would take minutes; seed and path say which list it was.
      { numRuns: 12, endOnFailure: true },
    );
  });

  it('are not pushed out by new routes while they live, and leave when they do not', () => {
    const routes = new Routes(variant);
    const living = 7;
    const dead = 8;
    for (let i = 0; i < 200; i++)
      for (const route of [living, dead]) {
        routes.observe(route, '/orders?page=1');
        routes.answered();
      }
    for (let i = 0; i < 200_000; i++) {
      // One in a hundred requests goes to the route that lives; the others each to a route of their own.
      routes.reader.memory.words[(routes.reader.memory.kernels.callAt.value + CALL.route) / 4] =
        i % 100 === 0 ? living : mix32(i);
      routes.answered();
    }
    expect(routes.observe(living, '/orders?page=1')[0]).toBe(2200);
    expect(routes.observe(dead, '/orders?page=1')[0]).toBe(0);
  });
});

describe('the engine', () => {
  it('marks an attack on a route whose parameters are known, and learns from good answers only', () => {
    const engine = new FeatureEngine({ startedMs: 0, identities: 64 });
    const who = ownIdentity();
    const place = placeOf('route_answers');
    const ask = (target: string, status: number, nowMs: number) => {
      fillHead(engine.headView, { method: 'GET', target, fields: [], agent: -1 });
      engine.observe({ head: engine.headView, who, routeHash: 77, nowMs });
      const features = [...engine.vector.subarray(place, place + FEATURES)];
      const outcome = { status, latencyMs: 1, bytesIn: 0, bytesOut: 0, atMs: nowMs };
      engine.outcome(engine.lastIdentity, engine.lastAddress, outcome, engine.lastTrace);
      return features;
    };
    for (let i = 0; i < 60; i++) ask(`/orders?page=${i % 9}`, 200, 1000 * i);
    for (let i = 0; i < 60; i++) ask(`/orders?debug=${i}<script>`, 404, 100_000 + 1000 * i);
    expect(ask('/orders?page=3', 200, 200_000)).toEqual([60, 0, 0, 0, 0, 0, 0, 0]);
    const attack = ask("/orders?page=3'+OR+1%3D1--&debug=1", 403, 201_000);
    expect(attack.slice(0, 3)).toEqual([61, 0, 1]);
    expect(attack[3]).toBeGreaterThan(5);
    expect(attack[5]).toBeGreaterThan(5);
    // Upper case, "-", space or "+", a quote, "=".
    expect(attack.slice(6)).toEqual([5, 6]);
  });
});

function ownIdentity() {
  const who = newRequestIdentity();
  who.key.fill(5);
  who.addressKey.fill(6);
  ownPrincipal(who);
  return who;
}
