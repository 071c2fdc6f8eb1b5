// Mutated byte streams at a data plane: nothing ends the process, every connection is answered or closed, what an origin reads
// strictly stays readable, and the origin never sees a request that was not scored.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { RawClient } from '../support/raw-client.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';

let origin: RecordingOrigin;
let plane: TestPlane;

beforeAll(async () => {
  origin = await new RecordingOrigin().listen();
  plane = await startTestPlane({
    upstream: origin.url,
    config: { headTimeoutMs: 400, bodyIdleTimeoutMs: 300, keepAliveIdleMs: 300, wsHandshakeTimeoutMs: 300 },
    tickMs: 50,
  });
});

afterAll(async () => {
  await plane.close();
  await origin.close();
});

const POST = 'POST /a HTTP/1.1\r\nHost: a\r\n';
const SEEDS = [
  'GET /a?b=c HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nCookie: session=1\r\n\r\n',
  `${POST}Content-Length: 5\r\nConnection: keep-alive, X\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: a\r\n\r\n`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nT: v\r\n\r\n`,
  'DELETE /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive, upgrade\r\n\r\n' +
    '1b\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nrest',
  'PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
  'GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.0\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\n\r\n',
];
const TOKENS = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '\x7f',
    '\xff',
    '0\r\n\r\n',
    '\r\n\r\n',
    '0x',
    '-1',
    '+',
  ],
  ...[
    'Content-Length: 7\r\n',
    'Content-Length: 7, 7\r\n',
    'Transfer-Encoding: chunked\r\n',
    'transfer-encoding:\tchunked\r\n',
  ],
  ...[
    'Transfer-Encoding: gzip, chunked\r\n',
    'Transfer_Encoding: chunked\r\n',
    'Host: b\r\n',
    'Connection: close\r\n',
  ],
  ...[
    'Connection: content-length, host\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: websocket\r\n',
    ' HTTP/1.1\r\n',
    ' HTTP/2.0\r\n',
  ],
  ...[
    'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n',
    'fffffffffffffffff',
    '__proto__: x\r\n',
    '\r\n folded',
    '/../',
    '%00',
    '#',
  ],
];

type Edit = { readonly at: number; readonly kind: number; readonly token: number; readonly length: number };

function mutate(text: string, edits: readonly Edit[]): string {
  let out = text;
  for (const { at, kind, token, length } of edits) {
    const place = Math.floor(at * (out.length + 1));
    const inserted = TOKENS[token] as string;
    if (kind === 0) out = out.slice(0, place) + inserted + out.slice(place);
    else if (kind === 1) out = out.slice(0, place) + out.slice(place + length);
    else if (kind === 2) out = out.slice(0, place) + String.fromCharCode(token * 7) + out.slice(place + 1);
    else out = out.slice(0, place) + out.slice(Math.max(0, place - length), place) + out.slice(place);
  }
  return out;
}

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.integer({ min: 0, max: 3 }),
  token: fc.integer({ min: 0, max: TOKENS.length - 1 }),
  length: fc.integer({ min: 1, max: 30 }),
});
const stream = fc.record({
  seeds: fc.array(fc.constantFrom(...SEEDS), { minLength: 1, maxLength: 3 }),
  edits: fc.array(edit, { maxLength: 4 }),
  /** Places at which the bytes are cut into writes. */
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
});

/** Longer than every limit of the plane under test together. */
const STUCK_MS = 6000;

/** Sends a stream, ends, and reads answers until the connection is over; false if one could not be read. */
async function converse(text: string, cuts: readonly number[]): Promise<boolean> {
  const client = await RawClient.open(plane.port);
  const bytes = Buffer.from(text, 'latin1');
  const places = [
    0,
    ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  for (let i = 1; i < places.length; i++) {
    client.send(bytes.subarray(places[i - 1], places[i]));
    if (i < places.length - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  let stuck = false;
  const timer = setTimeout(() => {
    stuck = true;
    client.destroy();
  }, STUCK_MS);
  await client.until((received) => received.includes('HTTP/1.1 101'));
  client.finish();
  await client.whenEnded();
  clearTimeout(timer);
  if (stuck) return false;
  const heads = client.received.toString('latin1').match(/^HTTP\/1\.1 [1-5][0-9]{2} /gm) ?? [];
  client.destroy();
  return client.received.length === 0 || heads.length > 0;
}

it('answers or closes, whatever arrives', async () => {
  let attempts = 0;
  const property = fc.asyncProperty(fc.array(stream, { minLength: 40, maxLength: 40 }), async (streams) => {
    const results = await Promise.all(
      streams.map(({ seeds, edits, cuts }) => converse(mutate(seeds.join(''), edits), cuts)),
    );
    expect(results).not.toContain(false);
    expect(origin.violations).toEqual([]);
    const judged = new Set(plane.events().map((event) => event.requestId));
    expect(origin.requests.filter((request) => !judged.has(request.requestId))).toEqual([]);
    expect(origin.requests.length).toBeLessThanOrEqual(plane.count('attempts') - attempts);
    expect(plane.balance).toBe(0);
    attempts = plane.count('attempts');
    origin.requests.length = 0;
  });
  await fc.assert(property, { numRuns: 10, endOnFailure: true });
  expect([plane.notes, plane.count('internalErrors'), plane.answered('internal.dispatch')]).toEqual([
    [],
    0,
    0,
  ]);
}, 60_000);
