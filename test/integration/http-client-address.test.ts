// Who is the client: header sets x trust x source, spoofing included; what goes on to the origin, and whose row it counts in.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cidr, parseCidr } from '../../domain/cidr.ts';
import type { DataPlaneConfig } from '../../proxy/data-plane-config.ts';
import { startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { valuesOf } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';

const PEER = '127.0.0.1';
const trusted = ['127.0.0.0/8', '10.0.0.0/8', 'fd00::/8'].map((text) => parseCidr(text) as Cidr);

let origin: RecordingOrigin;
let plane: TestPlane;
let client: RawClient;

beforeEach(async () => {
  origin = await new RecordingOrigin().listen();
});

afterEach(async () => {
  client.destroy();
  await plane.close();
  await origin.close();
});

async function open(config: Partial<DataPlaneConfig>): Promise<void> {
  plane = await startTestPlane({ upstream: origin.url, config });
  client = await RawClient.open(plane.port);
}

/** Sends a request and says what the origin saw of the fields. */
async function seen(fields: string, ...names: string[]): Promise<string[]> {
  await client.send(`GET /a HTTP/1.1\r\nHost: shop.test\r\n${fields}\r\n`).response();
  const last = origin.requests.at(-1);
  return names.map((name) => valuesOf(last?.fields ?? [], name).join(' | '));
}

interface Row {
  readonly name: string;
  readonly trust: boolean;
  readonly source: DataPlaneConfig['clientIpSource'];
  readonly fields: string;
  /** Address that the request counts under. */
  readonly client: string;
}

const ROWS: readonly Row[] = [
  { name: 'peer, nothing sent', trust: true, source: 'peer', fields: '', client: PEER },
  {
    name: 'peer, X-Forwarded-For is not read',
    trust: true,
    source: 'peer',
    fields: 'X-Forwarded-For: 9.9.9.9\r\n',
    client: PEER,
  },
  {
    name: 'xff, untrusted peer spoofs',
    trust: false,
    source: 'xff',
    fields: 'X-Forwarded-For: 9.9.9.9\r\n',
    client: PEER,
  },
  {
    name: 'xff, trusted peer',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: 9.9.9.9\r\n',
    client: '9.9.9.9',
  },
  {
    name: 'xff, the client prepends a lie',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: 6.6.6.6, 9.9.9.9\r\n',
    client: '9.9.9.9',
  },
  {
    name: 'xff, trusted hops are skipped',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: 6.6.6.6, 9.9.9.9, 10.1.2.3, 10.9.9.9\r\n',
    client: '9.9.9.9',
  },
  {
    name: 'xff, two lines are one list',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 9.9.9.9, 10.1.2.3\r\n',
    client: '9.9.9.9',
  },
  {
    name: 'xff, all trusted: the first',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: 10.1.1.1, 10.2.2.2\r\n',
    client: '10.1.1.1',
  },
  {
    name: 'xff, IPv6',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: 2001:db8::1, fd00::2\r\n',
    client: '2001:db8::1',
  },
  {
    name: 'xff, ports and brackets',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: [2001:db8::1]:443, 10.1.1.1:80\r\n',
    client: '2001:db8::1',
  },
  {
    name: 'xff, mapped IPv4 is IPv4',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: ::ffff:9.9.9.9\r\n',
    client: '9.9.9.9',
  },
  {
    name: 'xff, unreadable nearest entry: the peer',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: 9.9.9.9, unknown\r\n',
    client: PEER,
  },
  {
    name: 'xff, unreadable entry behind the client',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: garbage, 9.9.9.9\r\n',
    client: '9.9.9.9',
  },
  {
    name: 'xff, octal octets are unreadable',
    trust: true,
    source: 'xff',
    fields: 'X-Forwarded-For: 010.1.1.1\r\n',
    client: PEER,
  },
  {
    name: 'xff, only the nearest 32 entries',
    trust: true,
    source: 'xff',
    fields: `X-Forwarded-For: 9.9.9.9, ${Array.from({ length: 32 }, (_, i) => `10.0.0.${i}`).join(', ')}\r\n`,
    client: '10.0.0.0',
  },
  {
    name: 'xff, Forwarded is not read',
    trust: true,
    source: 'xff',
    fields: 'Forwarded: for=9.9.9.9\r\n',
    client: PEER,
  },
  {
    name: 'forwarded, trusted peer',
    trust: true,
    source: 'forwarded',
    fields: 'Forwarded: for=9.9.9.9;proto=https\r\n',
    client: '9.9.9.9',
  },
  {
    name: 'forwarded, quoted IPv6 with port',
    trust: true,
    source: 'forwarded',
    fields: 'Forwarded: proto=http;For="[2001:db8::1]:4711", for=10.1.1.1\r\n',
    client: '2001:db8::1',
  },
  {
    name: 'forwarded, comma in quotes',
    trust: true,
    source: 'forwarded',
    fields: 'Forwarded: by="a,b";for=9.9.9.9\r\n',
    client: '9.9.9.9',
  },
  {
    name: 'forwarded, obfuscated: the peer',
    trust: true,
    source: 'forwarded',
    fields: 'Forwarded: for=_hidden\r\n',
    client: PEER,
  },
  {
    name: 'forwarded, untrusted peer',
    trust: false,
    source: 'forwarded',
    fields: 'Forwarded: for=9.9.9.9\r\n',
    client: PEER,
  },
  {
    name: 'forwarded, X-Forwarded-For is not read',
    trust: true,
    source: 'forwarded',
    fields: 'X-Forwarded-For: 9.9.9.9\r\n',
    client: PEER,
  },
];

describe('the address that a request counts under', () => {
  it.each(ROWS)('$name', async ({ trust, source, fields, client: expected }) => {
    await open({ trustedProxies: trust ? trusted : [], clientIpSource: source });
    const [realIp] = await seen(fields, 'x-real-ip');
    expect(realIp).toBe(expected);
    const [event] = plane.events();
    expect(event?.identityKind).toBe('address');
    expect(event?.identityKey).toBe(event?.addressKey);
  });

  it('is the same row whichever way the same client comes', async () => {
    await open({ trustedProxies: trusted, clientIpSource: 'xff' });
    await seen('X-Forwarded-For: 9.9.9.9\r\n');
    await seen('X-Forwarded-For: 6.6.6.6, 9.9.9.9, 10.1.1.1\r\n');
    await seen('X-Forwarded-For: 8.8.8.8\r\n');
    const keys = plane.events().map((event) => event.addressKey);
    expect([keys[0] === keys[1], keys[0] === keys[2]]).toEqual([true, false]);
  });
});

const SPOOFED =
  'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: bank.test\r\n' +
  'X-Real-IP: 6.6.6.6\r\nX-Request-Id: mine-1\r\nForwarded: for=6.6.6.6\r\nVia: 1.0 fred\r\n' +
  'Traceparent: 00-abc\r\n';
const NAMES = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-real-ip',
  'forwarded',
  'via',
  'traceparent',
];

describe('what goes on', () => {
  it('from an untrusted peer: its own claims are overwritten', async () => {
    await open({});
    const [id, ...rest] = await seen(SPOOFED, 'x-request-id', ...NAMES);
    expect(rest).toEqual([
      '6.6.6.6, 127.0.0.1',
      'http',
      'shop.test',
      PEER,
      'for=6.6.6.6',
      '1.0 fred | 1.1 picket',
      '00-abc',
    ]);
    expect(id).toMatch(/^pk-[0-9a-z]{12}-1$/);
  });

  it('from a trusted peer: they are kept', async () => {
    await open({ trustedProxies: trusted });
    const [id, ...rest] = await seen(SPOOFED, 'x-request-id', ...NAMES);
    expect(rest).toEqual([
      '6.6.6.6, 127.0.0.1',
      'https',
      'bank.test',
      '6.6.6.6',
      'for=6.6.6.6',
      '1.0 fred | 1.1 picket',
      '00-abc',
    ]);
    expect(id).toBe('mine-1');
  });

  it('preserve: as it came', async () => {
    await open({ forwardHeaders: 'preserve', via: false });
    const [, ...rest] = await seen(SPOOFED, 'x-request-id', ...NAMES);
    expect(rest).toEqual(['6.6.6.6', 'https', 'bank.test', '6.6.6.6', 'for=6.6.6.6', '1.0 fred', '00-abc']);
    expect(await seen('', ...NAMES)).toEqual(['', '', '', '', '', '', '']);
  });

  it.each(['a b', 'x'.repeat(65), '"quoted"', 'a, b', ''])(
    'a trusted peer sends the id %j: not kept',
    async (id) => {
      await open({ trustedProxies: trusted });
      const [kept] = await seen(`X-Request-Id: ${id}\r\n`, 'x-request-id');
      expect(kept).toMatch(/^pk-/);
    },
  );
});
