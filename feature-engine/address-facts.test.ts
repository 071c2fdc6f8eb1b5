// Facts of addresses from the real test databases: kinds, cache, reload on change, a damaged replacement refused.
import { copyFileSync, existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cidr, parseAddress, parseCidr } from '../domain/cidr.ts';
import type { PicketError } from '../domain/errors.ts';
import { AddressBook } from './address-facts.ts';
import { CidrList, isDatacenterNetwork, isPrivate } from './address-kind.ts';
import { GeoFiles } from './geo-files.ts';
import { testKey } from './testing/random-traffic.ts';

const FOLDER = fileURLToPath(new URL('../../shared/data/geoip_test/', import.meta.url));
const present = existsSync(FOLDER);
if (!present)
  console.log('skipped: no ../shared/data/geoip_test, so address facts are not tested on real files');
const file = (name: string) => join(FOLDER, name);
const look = (book: AddressBook, text: string) => ({ ...book.look(testKey(text), text) });
const cidrs = (...texts: string[]) => new CidrList(texts.map((text) => parseCidr(text) as Cidr));

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

describe.skipIf(!present)('AddressBook', () => {
  it('gives place, country, network and kind, and looks each address up once', () => {
    const book = new AddressBook(64);
    const files = { geo: file('GeoLite2-City-Test.mmdb'), asn: file('GeoLite2-ASN-Test.mmdb') };
    new GeoFiles({ book, ...files, datacenters: cidrs('1.128.0.0/11') });
    const london = look(book, '81.2.69.142');
    expect(london.latitude).toBeCloseTo(51.51, 1);
    expect(london.longitude).toBeCloseTo(-0.1, 1);
    expect(london.country).toBe(0x4742);
    expect(look(book, '89.160.20.112')).toMatchObject({ country: 0x5345, asn: 29518, kind: 0 });
    expect(look(book, '1.128.0.0')).toMatchObject({ asn: 1221, kind: 2, latitude: Number.NaN });
    expect(look(book, '10.0.0.1')).toMatchObject({ asn: 0, country: 0, kind: 1 });
    expect(look(book, 'not an address')).toMatchObject({ asn: 0, country: 0, kind: 0 });
    expect(book.lookups).toBe(5);
    expect(look(book, '81.2.69.142')).toEqual(london);
    expect(book.lookups).toBe(5);
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

  it('reads the hosting mark of an anonymous-IP database', () => {
    const book = new AddressBook(64);
    new GeoFiles({ book, asn: file('GeoIP2-Anonymous-IP-Test.mmdb') });
    expect(look(book, '81.2.69.142').kind).toBe(2);
    expect(look(book, '89.160.20.112').kind).toBe(0);
  });

  it('stays right when more addresses come than it keeps', () => {
    const book = new AddressBook(8);
    new GeoFiles({ book, asn: file('GeoLite2-ASN-Test.mmdb') });
    for (let n = 0; n < 2000; n++) {
      expect(look(book, `1.128.${n % 50}.${n % 7}`).asn).toBe(1221);
      expect(look(book, '89.160.20.112').asn).toBe(29518);
    }
    expect(book.bytes).toBe(8 * 31);
  });
});

describe.skipIf(!present)('GeoFiles', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'picket-geo-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('brings in a changed file, keeps the old one when that is damaged, waits while it is away', () => {
    const path = join(folder, 'asn.mmdb');
    copyFileSync(file('GeoLite2-ASN-Test.mmdb'), path);
    const problems: PicketError[] = [];
    const book = new AddressBook(64);
    const files = new GeoFiles({ book, asn: path, onProblem: (problem) => problems.push(problem) });
    expect(look(book, '81.2.69.142').kind).toBe(0);
    expect(files.refresh()).toBe(false);

    writeFileSync(path, 'no database');
    expect(files.refresh()).toBe(false);
    expect(problems.map((problem) => problem.code)).toEqual(['DATA_INVALID']);
    expect(problems[0]?.message).toContain('holds no MaxMind metadata');
    expect(files.refresh()).toBe(false);
    expect(look(book, '89.160.20.112').asn).toBe(29518);

    rmSync(path);
    expect(files.refresh()).toBe(false);
    copyFileSync(file('GeoIP2-Anonymous-IP-Test.mmdb'), path);
    utimesSync(path, 1, 1);
    expect(files.refresh()).toBe(true);
    expect(look(book, '81.2.69.142').kind).toBe(2);
    expect(problems).toHaveLength(1);
  });

  it('refuses to start without a readable file', () => {
    const book = new AddressBook(64);
    expect(() => new GeoFiles({ book, geo: join(folder, 'none.mmdb') })).toThrow(/cannot be read/);
  });
});
