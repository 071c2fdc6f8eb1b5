// The table of request rules as data, refusing half: bytes that a client sends, and the answer that has to come of them.
// One row at least for every HTTP/1.1 row of the table in docs/life-of-a-request.md. Run by http-rules.test.ts.

import type { RefusalCode } from '../../domain/refusal.ts';

export interface Refused {
  readonly name: string;
  readonly send: string;
  readonly code: RefusalCode;
  readonly status: number;
}

export const HOST = 'Host: shop.test\r\n';
export const CHUNKED = 'Transfer-Encoding: chunked\r\n';

export function get(fields = '', target = '/a', host = HOST): string {
  return `GET ${target} HTTP/1.1\r\n${host}${fields}\r\n`;
}

export function post(fields: string, body: string): string {
  return `POST /a HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
}

function refused(name: string, code: RefusalCode, status: number, send: string): Refused {
  return { name, send, code, status };
}

export const MANY = 'x: y\r\n';

export const REFUSED: readonly Refused[] = [
  refused('HTTP/0.9', 'protocol.version', 505, 'GET /\r\n\r\n'),
  refused('HTTP/2.0 in HTTP/1 framing', 'protocol.version', 505, `GET / HTTP/2.0\r\n${HOST}\r\n`),
  refused('HTTP/1.2', 'protocol.version', 400, `GET / HTTP/1.2\r\n${HOST}\r\n`),
  refused('HTTP/3.0', 'protocol.version', 400, `GET / HTTP/3.0\r\n${HOST}\r\n`),
  refused('lower-case http/', 'protocol.version', 400, `GET / http/1.1\r\n${HOST}\r\n`),
  refused('unknown method', 'protocol.method', 400, `FOO / HTTP/1.1\r\n${HOST}\r\n`),
  refused('lower-case method', 'protocol.method', 400, `get / HTTP/1.1\r\n${HOST}\r\n`),
  refused('malformed method', 'protocol.method', 400, `G@T / HTTP/1.1\r\n${HOST}\r\n`),
  refused('CONNECT', 'protocol.connect', 405, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'),
  refused('TRACE', 'protocol.trace', 405, `TRACE /a HTTP/1.1\r\n${HOST}\r\n`),
  refused(
    'TRACE with a body',
    'protocol.trace',
    405,
    `TRACE /a HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`,
  ),
  refused('space in the target', 'protocol.target_chars', 400, get('', '/a b')),
  refused('control in the target', 'protocol.target_chars', 400, get('', '/a\x01b')),
  refused('tab in the target', 'protocol.target_chars', 400, get('', '/a\tb')),
  refused('DEL in the target', 'protocol.target_chars', 400, get('', '/a\x7fb')),
  refused('byte from 0x80 in the path', 'protocol.target_chars', 400, get('', '/a\xe9b')),
  refused('byte from 0x80 in the query', 'protocol.target_chars', 400, get('', '/a?b=\xe9')),
  refused('fragment', 'protocol.target_fragment', 400, get('', '/a#b')),
  refused(
    'absolute-form, another authority',
    'protocol.authority_conflict',
    400,
    get('', 'http://other.test/a'),
  ),
  refused(
    'absolute-form, another port',
    'protocol.authority_conflict',
    400,
    get('', 'http://shop.test:81/a'),
  ),
  refused('absolute-form, another scheme', 'protocol.target_absolute', 400, get('', 'ftp://shop.test/a')),
  refused('absolute-form with userinfo', 'protocol.target_absolute', 400, get('', 'http://u@shop.test/a')),
  refused('absolute-form, bad authority', 'protocol.target_absolute', 400, get('', 'http://[::1')),
  refused('* without OPTIONS', 'protocol.target_form', 400, get('', '*')),
  refused('authority-form without CONNECT', 'protocol.target_form', 400, get('', 'shop.test:80')),
  refused('no leading slash', 'protocol.target_form', 400, get('', 'foo')),
  refused('query alone', 'protocol.target_form', 400, get('', '?a')),
  refused('OPTIONS *', 'protocol.options_asterisk', 501, `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`),
  refused('target over 8 KiB', 'limit.target', 414, get('', `/${'a'.repeat(8192)}`)),
  refused('target over what the parser takes', 'limit.target', 414, get('', `/${'a'.repeat(60_000)}`)),
  refused('head over 16 KiB', 'limit.head', 431, get(`x: ${'a'.repeat(16_384)}\r\n`)),
  refused('head over what the parser takes', 'limit.head', 431, get(`x: ${'a'.repeat(60_000)}\r\n`)),
  refused('201 field lines', 'limit.fields', 431, get(MANY.repeat(200))),
  refused('1001 field lines', 'limit.fields', 431, get(MANY.repeat(1000))),
  refused('no Host in 1.1', 'protocol.host_missing', 400, get('', '/a', '')),
  refused('two Host lines, equal', 'protocol.host_duplicate', 400, get(HOST)),
  refused('two Host lines', 'protocol.host_duplicate', 400, get('Host: other.test\r\n')),
  refused('empty Host', 'protocol.host_invalid', 400, get('', '/a', 'Host: \r\n')),
  refused('comma in Host', 'protocol.host_invalid', 400, get('', '/a', 'Host: a,b\r\n')),
  refused('space in Host', 'protocol.host_invalid', 400, get('', '/a', 'Host: a b\r\n')),
  refused('slash in Host', 'protocol.host_invalid', 400, get('', '/a', 'Host: a/b\r\n')),
  refused('@ in Host', 'protocol.host_invalid', 400, get('', '/a', 'Host: u@a\r\n')),
  refused('space before the colon', 'protocol.field_syntax', 400, get('X : y\r\n')),
  refused('obs-fold', 'protocol.field_syntax', 400, get('X: a\r\n b\r\n')),
  refused('space before the first field', 'protocol.field_syntax', 400, get('', '/a', ` ${HOST}`)),
  refused('no colon', 'protocol.field_syntax', 400, get('foo\r\n')),
  refused('empty name', 'protocol.field_syntax', 400, get(': y\r\n')),
  refused('name that is no token', 'protocol.field_syntax', 400, get('f@o: y\r\n')),
  refused('NUL in a value', 'protocol.field_syntax', 400, get('X: a\x00b\r\n')),
  refused('control in a value', 'protocol.field_syntax', 400, get('X: a\x01b\r\n')),
  refused('DEL in a value', 'protocol.field_syntax', 400, get('X: a\x7fb\r\n')),
  refused('bare CR', 'protocol.field_syntax', 400, get('X: a\rb\r\n')),
  refused('bare LF', 'protocol.field_syntax', 400, get('X: a\nY: b\r\n')),
  refused('bare LF at the end of the head', 'protocol.field_syntax', 400, `GET /a HTTP/1.1\r\n${HOST}\n`),
  refused('Transfer_Encoding', 'protocol.field_alias', 400, get('Transfer_Encoding: chunked\r\n')),
  refused('content_length', 'protocol.field_alias', 400, get('content_length: 3\r\n')),
  refused(
    'Content-Length and Transfer-Encoding',
    'protocol.cl_te',
    400,
    post(`Content-Length: 3\r\n${CHUNKED}`, '0\r\n\r\n'),
  ),
  refused(
    'Transfer-Encoding and Content-Length',
    'protocol.cl_te',
    400,
    post(`${CHUNKED}Content-Length: 3\r\n`, '0\r\n\r\n'),
  ),
  refused(
    'two Content-Length, equal',
    'protocol.content_length',
    400,
    post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc'),
  ),
  refused('Content-Length list', 'protocol.content_length', 400, post('Content-Length: 3, 3\r\n', 'abc')),
  refused('Content-Length with plus', 'protocol.content_length', 400, post('Content-Length: +3\r\n', 'abc')),
  refused('Content-Length with minus', 'protocol.content_length', 400, post('Content-Length: -3\r\n', 'abc')),
  refused('Content-Length in hex', 'protocol.content_length', 400, post('Content-Length: 0x3\r\n', 'abc')),
  refused(
    'Content-Length with a space',
    'protocol.content_length',
    400,
    post('Content-Length: 3 3\r\n', 'abc'),
  ),
  refused('empty Content-Length', 'protocol.content_length', 400, post('Content-Length: \r\n', 'abc')),
  refused(
    'Content-Length over 2^53',
    'limit.content_length',
    413,
    post('Content-Length: 9007199254740993\r\n', 'abc'),
  ),
  refused(
    'Content-Length over 2^64',
    'limit.content_length',
    413,
    post(`Content-Length: ${'9'.repeat(23)}\r\n`, 'abc'),
  ),
  refused(
    'gzip, chunked',
    'protocol.transfer_coding',
    501,
    post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
  ),
  refused(
    'gzip and chunked in two lines',
    'protocol.transfer_coding',
    501,
    post(`Transfer-Encoding: gzip\r\n${CHUNKED}`, '0\r\n\r\n'),
  ),
  refused(
    'chunked not final',
    'protocol.transfer_coding',
    400,
    post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'),
  ),
  refused('chunked twice', 'protocol.transfer_coding', 400, post(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n')),
  refused(
    'chunked twice in one line',
    'protocol.transfer_coding',
    400,
    post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
  ),
  refused(
    'chunked with parameters',
    'protocol.transfer_coding',
    400,
    post('Transfer-Encoding: chunked;a=b\r\n', '0\r\n\r\n'),
  ),
  refused(
    'empty Transfer-Encoding',
    'protocol.transfer_coding',
    400,
    post('Transfer-Encoding: \r\n', '0\r\n\r\n'),
  ),
  refused('xchunked', 'protocol.transfer_coding', 400, post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')),
  refused('identity', 'protocol.transfer_coding', 400, post('Transfer-Encoding: identity\r\n', '')),
  refused(
    'Transfer-Encoding in 1.0',
    'protocol.te_http10',
    400,
    `POST /a HTTP/1.0\r\n${HOST}${CHUNKED}\r\n0\r\n\r\n`,
  ),
  refused('other Expect', 'protocol.expect', 417, get('Expect: tea\r\n')),
  refused('two expectations', 'protocol.expect', 417, get('Expect: 100-continue, tea\r\n')),
  refused(
    'WebSocket with a body',
    'protocol.upgrade_body',
    400,
    `${get('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n')}abc`,
  ),
  refused(
    'WebSocket with a chunked body',
    'protocol.upgrade_body',
    400,
    `${get(`Connection: Upgrade\r\nUpgrade: websocket\r\n${CHUNKED}`)}3\r\nabc\r\n0\r\n\r\n`,
  ),
];

/** Errors behind a complete head: the request was judged, its body cannot be read. */
export const BROKEN_BODIES: readonly Refused[] = [
  refused('bare LF behind a chunk size', 'protocol.chunk', 400, post(CHUNKED, '3\nabc\r\n0\r\n\r\n')),
  refused('space behind a chunk size', 'protocol.chunk', 400, post(CHUNKED, '3 \r\nabc\r\n0\r\n\r\n')),
  refused('0x in a chunk size', 'protocol.chunk', 400, post(CHUNKED, '0x3\r\nabc\r\n0\r\n\r\n')),
  refused(
    'chunk size overflow',
    'protocol.chunk',
    400,
    post(CHUNKED, `${'f'.repeat(17)}\r\nabc\r\n0\r\n\r\n`),
  ),
  refused('missing CRLF behind a chunk', 'protocol.chunk', 400, post(CHUNKED, '3\r\nabcX\r\n0\r\n\r\n')),
  refused(
    'chunk extensions over 16 KiB',
    'limit.chunk_ext',
    413,
    post(CHUNKED, `3;a=${'b'.repeat(17_000)}\r\nabc\r\n0\r\n\r\n`),
  ),
  refused(
    'Content-Length in trailers',
    'protocol.trailer',
    400,
    post(CHUNKED, '3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n'),
  ),
  refused(
    'Transfer-Encoding in trailers',
    'protocol.trailer',
    400,
    post(CHUNKED, `3\r\nabc\r\n0\r\n${CHUNKED}\r\n`),
  ),
];
