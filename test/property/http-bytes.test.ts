// Byte equality: random fields and bodies (0 to 10 MB, cut anywhere), both ways, in both modes and without a bundle. The origin
// gets what the client sent but for hop-by-hop and Picket's own fields; the client gets what the origin sent. Framing is kept.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ALLOW_ALL, startTestPlane, type TestPlane } from '../support/data-planes.ts';
import type { Message } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';

const MODES = [
  { policy: { fleet: { mode: 'monitor', ...ALLOW_ALL } } },
  { policy: { fleet: { mode: 'block', ...ALLOW_ALL } } },
  { policy: { fleet: { mode: 'block', ...ALLOW_ALL } }, bundle: null },
] as const;

/** Moved or rewritten by the hop, on either side: not compared. */
const OWN = new Set([
  ...['host', 'connection', 'keep-alive', 'content-length', 'transfer-encoding'],
  ...['x-request-id', 'via', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip'],
]);

let origin: RecordingOrigin;
let planes: TestPlane[];

beforeAll(async () => {
  origin = await new RecordingOrigin().listen();
  planes = await Promise.all(MODES.map((mode) => startTestPlane({ upstream: origin.url, ...mode })));
});

afterAll(async () => {
  for (const plane of planes) await plane.close();
  await origin.close();
});

function comparable(message: Message): unknown {
  return {
    startLine: message.startLine,
    fields: message.fields.filter(([name]) => !OWN.has(name.toLowerCase())),
    framing: message.body.length === 0 ? 'empty' : message.framing,
    length: message.body.length,
    hash: createHash('sha256').update(message.body).digest('hex'),
  };
}

function bodyOf(bytes: number, seed: number): Buffer {
  const body = Buffer.alloc(bytes);
  let state = seed | 1;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    body[i] = state >>> 24;
  }
  return body;
}

/** A message as bytes. `cut`: size of chunks. */
function serialise(startLine: string, fields: [string, string][], body: Buffer, cut: number | null): Buffer {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const framing = cut === null ? `Content-Length: ${body.length}\r\n` : 'Transfer-Encoding: chunked\r\n';
  const pieces: Buffer[] = [Buffer.from(`${startLine}\r\n${lines}${framing}\r\n`, 'latin1')];
  if (cut === null) return Buffer.concat([...pieces, body]);
  for (let at = 0; at < body.length; at += cut) {
    const piece = body.subarray(at, at + cut);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
}

const SIZES = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 4096 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 300_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 10_000_000 }) },
);
const FIELD_VALUE = fc.stringMatching(
  /^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,40}[\x21-\x7e\x80-\xff])?$/,
);
const FIELDS = fc.array(fc.tuple(fc.stringMatching(/^[Xx]-[A-Za-z!#$%&'*+.^`|~0-9-]{1,12}$/), FIELD_VALUE), {
  maxLength: 12,
});

/** Neither a hop-by-hop field nor one of ours, by accident. */
function plain(fields: [string, string][]): [string, string][] {
  return fields.filter(([name]) => !OWN.has(name.toLowerCase()) && !/^x-picket-/i.test(name));
}

const message = fc.record({
  fields: FIELDS.map(plain),
  bytes: SIZES,
  seed: fc.integer(),
  /** Null: Content-Length. */
  chunkBytes: fc.option(fc.integer({ min: 1, max: 70_000 }), { freq: 2 }),
  /** Size of the writes that carry it. */
  writeBytes: fc.integer({ min: 200, max: 100_000 }),
});

async function write(
  bytes: Buffer,
  size: number,
  send: (piece: Buffer) => boolean | Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    send(bytes.subarray(at, at + size));
    if (bytes.length < 50_000) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Chunks of one byte in a body of megabytes are slow to parse and prove nothing more. */
function cutOf(chunkBytes: number | null, bytes: number): number | null {
  return chunkBytes === null ? null : Math.max(chunkBytes, Math.ceil(bytes / 2000));
}

type Side = {
  fields: [string, string][];
  bytes: number;
  seed: number;
  chunkBytes: number | null;
  writeBytes: number;
};

/** One side's message: as bytes, and as what has to arrive. */
function written(
  startLine: string,
  side: Side,
  first: [string, string][],
): { bytes: Buffer; expected: unknown } {
  const body = bodyOf(side.bytes, side.seed);
  const { fields } = side;
  const framing = side.chunkBytes === null ? 'length' : 'chunked';
  const cut = cutOf(side.chunkBytes, side.bytes);
  return {
    bytes: serialise(startLine, [...first, ...fields], body, cut),
    expected: comparable({ startLine, fields, framing, body, trailers: [] }),
  };
}

const exchange = fc.record({
  method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'GET'),
  target: fc.stringMatching(/^\/[\x21-\x22\x24-\x7e]{0,60}$/),
  status: fc.constantFrom('200 OK', '201 Created', '404 Not Found', '500 Internal Server Error', '299 Odd'),
  up: message,
  down: message,
});

it('what goes in comes out', async () => {
  const property = fc.asyncProperty(exchange, async ({ method, target, status, up, down }) => {
    const request = written(`${method} ${target} HTTP/1.1`, up, [['Host', 'a']]);
    const answer = written(`HTTP/1.1 ${status}`, down, []);
    origin.answer = () => (_, socket) => {
      void write(answer.bytes, down.writeBytes, (piece) => socket.write(piece));
    };
    for (const plane of planes) {
      const client = await RawClient.open(plane.port);
      void write(request.bytes, up.writeBytes, (piece) => client.socket.write(piece));
      const received = await client.response();
      client.destroy();
      expect(comparable(origin.requests.at(-1) as Message)).toEqual(request.expected);
      expect(comparable(received as Message)).toEqual(answer.expected);
    }
    origin.requests.length = 0;
  });
  await fc.assert(property, { numRuns: 60 });
  expect(origin.violations).toEqual([]);
  for (const plane of planes)
    expect([plane.balance, plane.notes, plane.count('internalErrors')]).toEqual([0, [], 0]);
}, 60_000);
