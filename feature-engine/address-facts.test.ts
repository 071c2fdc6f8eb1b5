// Facts of addresses from the real test databases: kinds, cache, reload on change, a damaged replacement refused.
import { copyFileSync, existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cidr, cidrContains, parseAddress, parseCidr } from '../domain/cidr.ts';
import type { PicketError } from '../domain/errors.ts';
import { AddressBook } from './address-facts.ts';
import { CidrList, isDatacenterNetwork, isPrivate, KIND_UNKNOWN } from './address-kind.ts';
import { addressSources, GeoFiles, type GeoPaths } from './geo-files.ts';
import { testKey } from './testing/random-traffic.ts';

const FOLDER = fileURLToPath(new URL('../../shared/data/geoip_test/', import.meta.url));
const present = existsSync(FOLDER);
if (!present)
  console.log('skipped: no ../shared/data/geoip_test, so address facts are not tested on real files');
const file = (name: string) => join(FOLDER, name);
const look = (book: AddressBook, text: string) => ({ ...book.look(testKey(text), text) });
const cidrs = (...texts: string[]) => new CidrList(texts.map((text) => parseCidr(text) as Cidr));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-geo-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function bookOf(paths: GeoPaths, capacity = 64): Promise<AddressBook> {
  const book = new AddressBook(capacity);
  book.use(addressSources((await GeoFiles.open(paths)).data));
  return book;
}

describe('address kinds', () => {
  it.each([
    ['10.1.2.3', true],
    ['172.31.255.255', true],
    ['172.32.0.0', false],
    ['100.64.0.1', true],
    ['::ffff:192.168.0.1', true],
    ['fd12::1', true],
    ['fe80::1', true],
    ['2001:db8::1', false],
    ['8.8.8.8', false],
  ])('%s private: %s', (text, wanted) => {
    expect(isPrivate(parseAddress(text) as Uint8Array)).toBe(wanted);
  });

  it('knows networks of servers by number or name', () => {
    expect(isDatacenterNetwork(16509, '')).toBe(true);
    expect(isDatacenterNetwork(64512, 'Example Hosting GmbH')).toBe(true);
    expect(isDatacenterNetwork(1221, 'Telstra Pty Ltd')).toBe(false);
  });

  it('finds addresses in a CIDR list as a plain scan does', () => {
    const list = cidrs('203.0.113.0/24', '198.51.100.64/26', '2001:db8::/33', '192.0.2.7');
    for (const [text, wanted] of [
      ['203.0.113.9', true],
      ['203.0.114.9', false],
      ['198.51.100.64', true],
      ['198.51.100.128', false],
      ['2001:db8:7fff::1', true],
      ['2001:db8:8000::1', false],
      ['192.0.2.7', true],
      ['192.0.2.6', false],
    ] as const)
      expect([text, list.has(parseAddress(text) as Uint8Array)]).toEqual([text, wanted]);
  });
});

it('finds what a plain scan over random blocks finds', () => {
  const block = fc.tuple(fc.nat(255), fc.nat(255), fc.integer({ min: 4, max: 32 })).map(([a, b, bits]) => {
    const word = (((a << 24) | (b << 16) | 0x8040) >>> (32 - bits)) * 2 ** (32 - bits);
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}/${bits}`;
  });
  const texts = fc.array(fc.tuple(fc.nat(255), fc.nat(255)), { minLength: 1, maxLength: 20 });
  const run = (blocks: string[], seen: [number, number][]) => {
    const parsed = blocks.map((text) => parseCidr(text) as Cidr);
    const list = new CidrList(new CidrList(parsed).bytes);
    for (const [a, b] of seen) {
      const address = parseAddress(`${a}.${b}.128.64`) as Uint8Array;
      expect(list.has(address)).toBe(parsed.some((cidr) => cidrContains(cidr, address)));
    }
  };
  fc.assert(fc.property(fc.array(block, { maxLength: 30 }), texts, run), { numRuns: 300 });
});

describe.skipIf(!present)('AddressBook', () => {
  it('gives place, country, network and kind, and looks each address up once', async () => {
    const hostingCidrs = join(folder, 'hosting.txt');
    writeFileSync(hostingCidrs, '# blocks of a hosting company\n1.128.0.0/11 # cloud\r\n\n2001:db8::/32\n');
    const book = await bookOf({
      geo: file('GeoLite2-City-Test.mmdb'),
      asn: file('GeoLite2-ASN-Test.mmdb'),
      hostingCidrs,
    });
    const london = look(book, '81.2.69.142');
    expect(london.latitude).toBeCloseTo(51.51, 1);
    expect(london.longitude).toBeCloseTo(-0.1, 1);
    expect(london.country).toBe(0x4742);
    expect(look(book, '89.160.20.112')).toMatchObject({ country: 0x5345, asn: 29518, kind: 0 });
    expect(look(book, '1.128.0.0')).toMatchObject({ asn: 1221, kind: 2, latitude: Number.NaN });
    expect(look(book, '10.0.0.1')).toMatchObject({ asn: 0, country: 0, kind: 1 });
    expect(look(book, 'not an address')).toMatchObject({ asn: 0, country: 0, kind: KIND_UNKNOWN });
    expect(book.lookups).toBe(5);
    expect(look(book, '81.2.69.142')).toEqual(london);
    expect(book.lookups).toBe(5);
  });

  it('takes an address for what the strict parser takes it for', () => {
    const book = new AddressBook(64);
    const part = fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '01', '0', '256', '-1', ' 1', '1e1'));
    const text = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
    const run = (address: string) => {
      expect(look(book, address).kind === KIND_UNKNOWN).toBe(parseAddress(address) === null);
    };
    fc.assert(fc.property(text, run), { numRuns: 1000 });
  });

  it('knows which addresses share a /24 or /56', () => {
    const book = new AddressBook(64);
    const subnet = (text: string) => look(book, text).subnet;
    expect(subnet('203.0.113.1')).toBe(subnet('::ffff:203.0.113.250'));
    expect(subnet('203.0.113.1')).not.toBe(subnet('203.0.114.1'));
    expect(subnet('2001:db8:0:1200::1')).toBe(subnet('2001:db8:0:12ff::2'));
    expect(subnet('2001:db8:0:1200::1')).not.toBe(subnet('2001:db8:0:1300::1'));
    expect(subnet('no address')).toBe(0);
  });

  it('reads the hosting mark of an anonymous-IP database', async () => {
    const book = await bookOf({ asn: file('GeoIP2-Anonymous-IP-Test.mmdb') });
    expect(look(book, '81.2.69.142').kind).toBe(2);
    expect(look(book, '89.160.20.112').kind).toBe(0);
  });

  it('stays right when more addresses come than it keeps', async () => {
    const book = await bookOf({ asn: file('GeoLite2-ASN-Test.mmdb') }, 8);
    for (let n = 0; n < 2000; n++) {
      expect(look(book, `1.128.${n % 50}.${n % 7}`).asn).toBe(1221);
      expect(look(book, '89.160.20.112').asn).toBe(29518);
    }
    expect(book.bytes).toBe(8 * 32);
  });
});

/** The free country database of the demo: no maps inside. */
const FREE = fileURLToPath(
  new URL(
    '../node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
    import.meta.url,
  ),
);
it.skipIf(!existsSync(FREE))('reads free databases whose columns lie side by side', async () => {
  const book = await bookOf({ geo: FREE });
  expect(look(book, '81.2.69.142')).toMatchObject({ country: 0x4742, latitude: Number.NaN });
  expect(look(book, '2a02:26f0::1').country).toBeGreaterThan(0);
});

describe.skipIf(!present)('GeoFiles', () => {
  it('brings in a changed file once it is whole, keeps the old one when it is damaged or away', async () => {
    const path = join(folder, 'asn.mmdb');
    copyFileSync(file('GeoLite2-ASN-Test.mmdb'), path);
    const files = await GeoFiles.open({ asn: path });
    const problems: PicketError[] = [];
    files.onProblem = (problem) => problems.push(problem);
    const first = files.data.asn;
    expect(await files.refresh()).toBe(false);

    writeFileSync(path, 'no database');
    expect(await files.refresh()).toBe(false);
    expect(problems).toEqual([]);
    expect(await files.refresh()).toBe(false);
    expect(await files.refresh()).toBe(false);
    expect(problems.map((problem) => problem.code)).toEqual(['DATA_INVALID']);
    expect(problems[0]?.message).toContain('holds no MaxMind metadata');
    expect(files.reports[0]).toMatchObject({ type: 'GeoLite2-ASN', problem: problems[0]?.message });
    expect(files.data.asn).toBe(first);

    rmSync(path);
    expect(await files.refresh(true)).toBe(false);
    expect(problems[1]?.message).toContain('cannot be read');
    copyFileSync(file('GeoIP2-Anonymous-IP-Test.mmdb'), path);
    utimesSync(path, 1, 1);
    expect(await files.refresh()).toBe(false);
    expect(await files.refresh()).toBe(true);
    expect(files.reports[0]).toMatchObject({ type: 'GeoIP2-Anonymous-IP', problem: null });
    const book = new AddressBook(64);
    book.use(addressSources(files.data));
    expect(look(book, '81.2.69.142').kind).toBe(2);
    expect(problems).toHaveLength(2);
  });

  it('refuses a new file that the memory plan has no room for', async () => {
    const path = join(folder, 'asn.mmdb');
    copyFileSync(file('GeoLite2-ASN-Test.mmdb'), path);
    const files = await GeoFiles.open({ asn: path });
    writeFileSync(path, Buffer.alloc(3 * 2 ** 20));
    expect(await files.refresh(true)).toBe(false);
    expect(files.reports[0]?.problem).toContain('the memory plan has room for');
  });

  it.each([
    ['GeoIP2-City-Test-Broken-Double-Format.mmdb', /is a number of \d+ bytes instead of 8/],
    ['MaxMind-DB-test-broken-pointers-24.mmdb', /lies outside the data|points outside the data/],
    ['MaxMind-DB-no-ipv4-search-tree.mmdb', /no place for IPv4/],
    ['none.mmdb', /cannot be read: .*no such file/],
  ])('refuses to start with %s', async (name, reason) => {
    await expect(GeoFiles.open({ geo: file(name) })).rejects.toThrow(reason);
  });

  it('refuses a list of blocks and says which lines', async () => {
    const path = join(folder, 'hosting.txt');
    writeFileSync(path, '203.0.113.0/24\nexample.org\n10.0.0.1/8\n');
    const error = await GeoFiles.open({ hostingCidrs: path }).catch((thrown: unknown) => thrown);
    expect((error as PicketError).problems.map(({ field, value }) => [field, value])).toEqual([
      ['line 2', 'example.org'],
      ['line 3', '10.0.0.1/8'],
    ]);
  });
});
