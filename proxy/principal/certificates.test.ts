// What certificates say: X-Forwarded-Client-Cert by hand and at random, SPIFFE ids, and a real TLS connection's client.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { XfccPart } from '../../domain/identity.ts';
import { HAS_OPENSSL, makeClient } from '../testing/client-certificates.ts';
import { peerNameOf } from './peer-certificate.ts';
import { isSpiffeId } from './spiffe.ts';
import { xfccValue } from './xfcc.ts';

function read(text: string, part: XfccPart): string | null {
  const bytes = Buffer.from(text, 'latin1');
  const range = { start: 0, end: bytes.length };
  return xfccValue(bytes, part, range) ? bytes.toString('latin1', range.start, range.end) : null;
}

const HASH = '468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688';

describe('X-Forwarded-Client-Cert', () => {
  // The first two are Envoy's own examples.
  it.each<[string, string | null, string | null, string | null]>([
    [
      `By=http://frontend.lyft.com;Hash=${HASH};` +
        'Subject="/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client";URI=http://testclient.lyft.com',
      'http://testclient.lyft.com',
      '/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client',
      HASH,
    ],
    [
      `By=http://frontend.lyft.com;Hash=${HASH};URI=http://testclient.lyft.com,` +
        'By=http://backend.lyft.com;Hash=9ba61d;Subject="";URI=http://frontend.lyft.com',
      'http://frontend.lyft.com',
      null,
      '9ba61d',
    ],
    ['uri=spiffe://a/b;HASH=1', 'spiffe://a/b', null, '1'],
    ['URI="spiffe://a/b"', 'spiffe://a/b', null, null],
    ['Subject="CN=\\"x\\",O=a;b,c"', null, 'CN=\\"x\\",O=a;b,c', null],
    ['URI=spiffe://a/b, \tURI=spiffe://c/d', 'spiffe://c/d', null, null],
    ['Hash=1;URI=a?b=c', 'a?b=c', null, '1'],
    ['By=x', null, null, null],
  ])('%s', (text, uri, subject, hash) => {
    expect([read(text, 'uri'), read(text, 'subject'), read(text, 'hash')]).toEqual([uri, subject, hash]);
  });

  it.each([
    '',
    'URI',
    'URI=',
    '=x',
    'URI=a;',
    'URI=a,',
    ',URI=a',
    'URI=a;;Hash=1',
    'URI=a;URI=b',
    'URI="a',
    'URI="a"b',
    'URI="a\\"',
    'URI=a"b',
    'URI=a b',
    'URI =a',
    'URI=a\x00',
    'U RI=a;URI=b',
  ])('names nobody: %j', (text) => {
    expect(read(text, 'uri')).toBeNull();
  });

  it('whatever a client sends before the last element, it cannot change what that element says', () => {
    const last = `By=spiffe://a/b;Hash=1;Subject="";URI=spiffe://c/d`;
    const piece = fc.constantFrom(
      '"',
      '\\',
      ',',
      ';',
      '=',
      'URI=',
      'x',
      ' ',
      'URI=spiffe://evil/e',
      'Subject="',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect([null, 'spiffe://c/d']).toContain(read(`${pieces.join('')},${last}`, 'uri'));
      }),
      { numRuns: 5000 },
    );
  });

  it('what was written by the rules is read back', () => {
    const plain = fc.stringMatching(/^[A-Za-z0-9:/.-]{1,20}$/);
    const quoted = fc.stringMatching(/^[A-Za-z0-9 ,;=/]{1,20}$/);
    const element = fc.record({ uri: plain, subject: quoted, hash: plain });
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 4 }), (elements) => {
        const text = elements.map((e) => `By=x;Hash=${e.hash};Subject="${e.subject}";URI=${e.uri}`).join(',');
        const last = elements.at(-1)!;
        expect([read(text, 'uri'), read(text, 'subject'), read(text, 'hash')]).toEqual([
          last.uri,
          last.subject,
          last.hash,
        ]);
      }),
    );
  });
});

describe('SPIFFE ids', () => {
  const is = (text: string): boolean => isSpiffeId(Buffer.from(text, 'latin1'), 0, text.length);

  it.each(['spiffe://prod.test', 'spiffe://prod_1.test/ns/a-b/sa/C.d', 'spiffe://9/...'])('%s', (text) => {
    expect(is(text)).toBe(true);
  });

  it.each([
    '',
    'spiffe://',
    'spiffe:///x',
    'SPIFFE://prod/x',
    'spiffe://Prod/x',
    'spiffe://prod/',
    'spiffe://prod//x',
    'spiffe://prod/./x',
    'spiffe://prod/x/..',
    'spiffe://prod:443/x',
    'spiffe://u@prod/x',
    'spiffe://prod/x?q',
    'spiffe://prod/x#f',
    'spiffe://prod/%41',
    `spiffe://${'a'.repeat(256)}/x`,
    `spiffe://a/${'a'.repeat(2048)}`,
    'https://prod/x',
  ])('not %j', (text) => {
    expect(is(text)).toBe(false);
  });
});

describe.skipIf(!HAS_OPENSSL)('the client certificate of a TLS connection (needs openssl)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'picket-peer-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What the server makes of a client that shows this certificate. */
  async function named(name: string, san: string | null, trusted: boolean): Promise<[string, string] | null> {
    const server = makeClient(folder, `${name}-server`, null);
    const client = makeClient(folder, name, san);
    const listening = createServer({
      cert: readFileSync(server.cert),
      key: readFileSync(server.key),
      ca: trusted ? [readFileSync(client.cert)] : [readFileSync(server.cert)],
      requestCert: true,
      rejectUnauthorized: false,
    });
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const arrived = once(listening, 'secureConnection') as Promise<[TLSSocket]>;
    const socket = connect({
      port: (listening.address() as AddressInfo).port,
      host: '127.0.0.1',
      cert: readFileSync(client.cert),
      key: readFileSync(client.key),
      rejectUnauthorized: false,
    });
    const [seen] = await arrived;
    const peer = peerNameOf(seen);
    socket.destroy();
    seen.destroy();
    listening.close();
    return peer === null ? null : [peer.kind, Buffer.from(peer.bytes).toString()];
  }

  it('names its SPIFFE id, else (or if it has several) its subject; without trust nobody', async () => {
    expect(await named('web', 'URI:spiffe://prod.test/ns/shop/sa/web', true)).toEqual([
      'spiffe',
      'spiffe://prod.test/ns/shop/sa/web',
    ]);
    expect(await named('plain', null, true)).toEqual(['client_cert', 'CN=plain,O=Picket']);
    expect(await named('two', 'URI:spiffe://a/b,URI:spiffe://c/d', true)).toEqual([
      'client_cert',
      'CN=two,O=Picket',
    ]);
    expect(await named('forged', 'URI:spiffe://prod.test/ns/shop/sa/web', false)).toBeNull();
  });
});
