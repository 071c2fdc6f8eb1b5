// What does it cost to tell who is asking? The identity stage alone, for each kind of credential, with the head already read;
// the hash of the credential, which grows with its length, is part of it. Prints nanoseconds per request (median of rounds) and
// heap bytes per request; `--json` prints one line of JSON last. Run: node --expose-gc bench/micro/identify.ts

import { DEFAULT_IDENTITY_SOURCES, type IdentitySource, newRequestIdentity } from '../../domain/identity.ts';
import { FeatureEngine } from '../../feature-engine/engine.ts';
import { Counters } from '../../proxy/counters.ts';
import { HeadReader, RequestHead } from '../../proxy/head.ts';
import { Identifier, type IdentifyInput } from '../../proxy/identify.ts';
import { KeyedHash } from '../../proxy/keyed-hash.ts';
import { compileSources } from '../../proxy/principal/compiled-source.ts';
import { PrincipalTable, principalTableBytes } from '../../proxy/principal/principal-table.ts';
import { TokenDesk } from '../../proxy/principal/token-desk.ts';
import { TokenQueue } from '../../proxy/principal/token-queue.ts';

const ROUNDS = 15;
const REQUESTS = 100_000;
const NOW_MS = 1_760_000_000_000;
const KEY = Uint32Array.of(1, 2, 3, 4);
const OPAQUE = '0f3c2e1d'.repeat(4);
const JWT = `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(236)}.${'b'.repeat(342)}`;
const XFCC = `By=spiffe://prod/x;Hash=${'ab'.repeat(32)};Subject="CN=web";URI=spiffe://prod/ns/shop/sa/web`;
const COMMON = [
  ...[
    'Host',
    'shop.test',
    'Accept',
    'application/json',
    'Accept-Encoding',
    'gzip, br',
    'Connection',
    'keep-alive',
  ],
  ...['User-Agent', 'okhttp/4.12.0', 'X-Forwarded-For', '203.0.113.7', 'X-Request-Id', OPAQUE],
];

interface Case {
  readonly name: string;
  readonly fields: readonly string[];
  readonly target?: string;
  readonly sources?: readonly IdentitySource[];
  readonly verified?: boolean;
  readonly rotating?: boolean;
}

const bearer = (token: string): string[] => ['Authorization', `Bearer ${token}`];
const CASES: Case[] = [
  { name: 'address', fields: [] },
  { name: 'bearer, opaque, 32 bytes', fields: bearer(OPAQUE) },
  { name: 'bearer, JWT, 600 bytes', fields: bearer(JWT) },
  { name: 'bearer, JWT, 600 bytes, verified', fields: bearer(JWT), verified: true },
  { name: 'bearer, opaque, while keys are rotated', fields: bearer(OPAQUE), rotating: true },
  { name: 'API key in a header', fields: ['X-Api-Key', OPAQUE] },
  {
    name: 'API key in the query',
    fields: [],
    target: `/orders?page=2&api_key=${OPAQUE}`,
    sources: [{ kind: 'api_key', query: 'api_key' }],
  },
  { name: 'cookie', fields: ['Cookie', `theme=dark; lang=en; session=${OPAQUE}`] },
  {
    name: 'bearer with a cookie that survives',
    fields: [...bearer(OPAQUE), 'Cookie', `theme=dark; device=${OPAQUE}`],
    sources: [{ kind: 'bearer' }, { kind: 'cookie', name: 'device', survivesRefresh: true }],
  },
  { name: 'forwarded certificate', fields: ['X-Forwarded-Client-Cert', XFCC], sources: [{ kind: 'xfcc' }] },
];

const engine = new FeatureEngine({ identities: 8, startedMs: 0 });

function run({ fields, target, sources, verified, rotating }: Case): { ns: number; heapBytes: number } {
  const hash = new KeyedHash(engine, { current: KEY, former: rotating === true ? KEY : null, keyId: 1 });
  const table = new PrincipalTable(new SharedArrayBuffer(principalTableBytes(25_000)));
  const desk = new TokenDesk({ table: table.buffer, queue: new TokenQueue().buffer }, new Counters());
  const reader = new HeadReader(engine.headView);
  const rawHeaders = [...COMMON, ...fields];
  const raw = {
    method: 'GET',
    url: target ?? '/orders/17',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    rawHeaders,
  };
  const refused = reader.read(raw, new RequestHead(), false);
  if (refused !== null) throw new Error(refused.code);
  const who = newRequestIdentity();
  const identifier = new Identifier(hash, verified === true ? desk : null);
  const input: IdentifyInput = {
    reader,
    client: { text: '203.0.113.7', ...hash.keyed(new Uint8Array(16).fill(7)) },
    trusted: true,
    certificate: null,
    sources: compileSources(sources ?? DEFAULT_IDENTITY_SOURCES, verified === true),
    nowMs: NOW_MS,
  };
  identifier.identify(input, who);
  table.putVerified(who.key, KEY, null, NOW_MS / 1000 + 600);
  const times: number[] = [];
  let heapBytes = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const start = performance.now();
    for (let i = 0; i < REQUESTS; i++) identifier.identify(input, who);
    times.push(((performance.now() - start) * 1e6) / REQUESTS);
    heapBytes = Math.min(heapBytes, (process.memoryUsage().heapUsed - before) / REQUESTS);
  }
  return { ns: times.sort((a, b) => a - b)[ROUNDS >> 1] as number, heapBytes: Math.max(0, heapBytes) };
}

const results: Record<string, { ns: number; heap_bytes: number }> = {};
for (const one of CASES) {
  const { ns, heapBytes } = run(one);
  results[one.name] = { ns: Math.round(ns), heap_bytes: Math.round(heapBytes) };
  console.log(`${one.name.padEnd(40)} ${ns.toFixed(0).padStart(6)} ns  ${heapBytes.toFixed(1)} heap bytes`);
}
if (process.argv.includes('--json')) console.log(JSON.stringify(results));
