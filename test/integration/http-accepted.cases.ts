// The table of request rules as data, accepting half: bytes that a client sends, and what the origin has to see of them.
// Run by http-rules.test.ts in both modes.

import { CHUNKED, get, HOST, MANY, post } from './http-refused.cases.ts';

export interface Accepted {
  readonly name: string;
  readonly send: string;
  /** Request line as the origin has to see it. */
  readonly line: string;
  /** Fields that it has to see with these values, null = must not see. */
  readonly fields?: Readonly<Record<string, string | null>>;
  readonly body?: string;
  readonly normalised?: boolean;
}

export const ACCEPTED: readonly Accepted[] = [
  { name: 'empty lines before the request line', send: `\r\n\n\r\n${get()}`, line: 'GET /a HTTP/1.1' },
  {
    name: 'several spaces in the request line',
    send: `GET  /a   HTTP/1.1\r\n${HOST}\r\n`,
    line: 'GET /a HTTP/1.1',
  },
  {
    name: 'odd but visible bytes in the target',
    send: get('', '/a\\"<>^{}|`%zz//../%2e%2e?x=%'),
    line: 'GET /a\\"<>^{}|`%zz//../%2e%2e?x=% HTTP/1.1',
  },
  {
    name: 'absolute-form',
    send: get('', 'http://shop.test/a?b'),
    line: 'GET /a?b HTTP/1.1',
    fields: { host: 'shop.test' },
    normalised: true,
  },
  {
    name: 'absolute-form in other case, default port',
    send: get('', 'HTTP://Shop.Test:80/a'),
    line: 'GET /a HTTP/1.1',
    normalised: true,
  },
  {
    name: 'absolute-form without a path',
    send: get('', 'http://shop.test'),
    line: 'GET / HTTP/1.1',
    normalised: true,
  },
  {
    name: 'absolute-form with a query and no path',
    send: get('', 'http://shop.test?a=b'),
    line: 'GET /?a=b HTTP/1.1',
    normalised: true,
  },
  {
    name: 'OPTIONS with Max-Forwards',
    send: `OPTIONS /a HTTP/1.1\r\n${HOST}Max-Forwards: 3\r\n\r\n`,
    line: 'OPTIONS /a HTTP/1.1',
    fields: { 'max-forwards': '2' },
    normalised: true,
  },
  {
    name: 'target of 8 KiB',
    send: get('', `/${'a'.repeat(8191)}`),
    line: `GET /${'a'.repeat(8191)} HTTP/1.1`,
  },
  { name: '200 field lines', send: get(MANY.repeat(199)), line: 'GET /a HTTP/1.1' },
  { name: 'no Host in 1.0', send: 'GET /a HTTP/1.0\r\n\r\n', line: 'GET /a HTTP/1.1', normalised: true },
  {
    name: 'bytes from 0x80 in a value',
    send: get('X: a\xe9\xffb\r\n'),
    line: 'GET /a HTTP/1.1',
    fields: { x: 'a\xe9\xffb' },
  },
  {
    name: '_ spelling of a managed field',
    send: get('X_Forwarded_For: 1.2.3.4\r\n'),
    line: 'GET /a HTTP/1.1',
    fields: { x_forwarded_for: null, 'x-forwarded-for': '127.0.0.1' },
    normalised: true,
  },
  {
    name: "a client's own x-picket-*",
    send: get('X-Picket-Verdict: allow\r\nx_picket_verdict: allow\r\n'),
    line: 'GET /a HTTP/1.1',
    fields: { 'x-picket-verdict': null, x_picket_verdict: null },
    normalised: true,
  },
  {
    name: 'another field with _',
    send: get('my_field: kept\r\n'),
    line: 'GET /a HTTP/1.1',
    fields: { my_field: 'kept' },
  },
  {
    name: 'Connection that is no clean list',
    send: get('Connection: close,,x y\r\nx: gone\r\ny: gone\r\nz: kept\r\n'),
    line: 'GET /a HTTP/1.1',
    fields: { x: null, y: null, z: 'kept' },
    normalised: true,
  },
  {
    name: 'Connection names host and content-length',
    send: `POST /a HTTP/1.1\r\n${HOST}Connection: host, content-length\r\nContent-Length: 3\r\n\r\nabc`,
    line: 'POST /a HTTP/1.1',
    fields: { host: 'shop.test', 'content-length': '3' },
    body: 'abc',
    normalised: true,
  },
  {
    name: "Connection names Picket's own fields",
    send: get('Connection: x-forwarded-for, x-request-id, via\r\nX-Forwarded-For: 9.9.9.9\r\n'),
    line: 'GET /a HTTP/1.1',
    fields: { 'x-forwarded-for': '127.0.0.1', via: '1.1 picket' },
  },
  {
    name: 'Content-Length with leading zeros',
    send: post('Content-Length: 003\r\n', 'abc'),
    line: 'POST /a HTTP/1.1',
    fields: { 'content-length': '3' },
    body: 'abc',
    normalised: true,
  },
  {
    name: 'chunk extensions',
    send: post(CHUNKED, '3;a="b"\r\nabc\r\n0\r\n\r\n'),
    line: 'POST /a HTTP/1.1',
    fields: { 'transfer-encoding': 'chunked' },
    body: 'abc',
  },
  {
    name: 'request trailers',
    send: post(`Trailer: X-T\r\n${CHUNKED}`, '3\r\nabc\r\n0\r\nX-T: y\r\n\r\n'),
    line: 'POST /a HTTP/1.1',
    fields: { 'x-t': null, trailer: null },
    body: 'abc',
  },
  {
    name: 'body on GET',
    send: `GET /a HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`,
    line: 'GET /a HTTP/1.1',
    fields: { 'content-length': '3' },
    body: 'abc',
  },
  {
    name: 'chunked body on DELETE',
    send: `DELETE /a HTTP/1.1\r\n${HOST}${CHUNKED}\r\n3\r\nabc\r\n0\r\n\r\n`,
    line: 'DELETE /a HTTP/1.1',
    fields: { 'transfer-encoding': 'chunked' },
    body: 'abc',
  },
  {
    name: 'chunked body on OPTIONS',
    send: `OPTIONS /a HTTP/1.1\r\n${HOST}${CHUNKED}\r\n3\r\nabc\r\n0\r\n\r\n`,
    line: 'OPTIONS /a HTTP/1.1',
    fields: { 'transfer-encoding': 'chunked' },
    body: 'abc',
  },
  {
    name: 'Expect in 1.0',
    send: `POST /a HTTP/1.0\r\n${HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
    line: 'POST /a HTTP/1.1',
    fields: { expect: null },
    body: 'abc',
  },
  {
    name: 'Upgrade: h2c',
    send: get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'),
    line: 'GET /a HTTP/1.1',
    fields: { upgrade: null, 'http2-settings': null },
    normalised: true,
  },
  {
    name: 'Upgrade with two tokens',
    send: get('Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n'),
    line: 'GET /a HTTP/1.1',
    fields: { upgrade: null },
    normalised: true,
  },
  {
    name: 'Upgrade in POST',
    send: post('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n', 'abc'),
    line: 'POST /a HTTP/1.1',
    fields: { upgrade: null },
    body: 'abc',
    normalised: true,
  },
  {
    name: 'Upgrade in 1.0',
    send: `GET /a HTTP/1.0\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    line: 'GET /a HTTP/1.1',
    fields: { upgrade: null },
    normalised: true,
  },
  {
    name: 'hop-by-hop fields',
    send: get(
      'Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\n' +
        'Proxy-Authenticate: x\r\nTE: trailers\r\n',
    ),
    line: 'GET /a HTTP/1.1',
    fields: {
      'keep-alive': null,
      'proxy-connection': null,
      'proxy-authorization': null,
      'proxy-authenticate': null,
      te: null,
    },
  },
  {
    name: 'a field named __proto__',
    send: get('__proto__: kept\r\n'),
    line: 'GET /a HTTP/1.1',
    fields: { ['__proto__']: 'kept' },
  },
];
