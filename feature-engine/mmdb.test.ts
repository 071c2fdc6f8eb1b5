// Address databases: real test files against their sources, damaged ones refused with a clear error, any damage survived.
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../domain/cidr.ts';
import { PicketError } from '../domain/errors.ts';
import { Mmdb } from './mmdb.ts';

const FOLDER = new URL('../../shared/data/geoip_test/', import.meta.url);
const present = existsSync(FOLDER);
if (!present)
  console.log('skipped: no ../shared/data/geoip_test, so address databases are not tested on real files');

const read = (name: string) => readFileSync(new URL(name, FOLDER));
const key = (text: string) => new TextEncoder().encode(text);
const address = (text: string) => parseAddress(text) as Uint8Array;

type Source = Record<string, Record<string, unknown>>[];

/** Entries of a source file whose blocks are not cut by a smaller one: its first address has just this record. */
function entriesOf(source: Source): [string, Record<string, unknown>][] {
  return source.flatMap((one) => Object.entries(one)).filter(([block]) => !block.startsWith('2002:'));
}

function valueAt(record: Record<string, unknown>, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (value as Record<string, unknown> | undefined)?.[name],
    record,
  );
}

describe.skipIf(!present)('Mmdb', () => {
  it.each([
    ['GeoLite2-ASN-Test.mmdb', 'GeoLite2-ASN-Test.json', [['autonomous_system_number']]],
    ['GeoIP2-Anonymous-IP-Test.mmdb', 'GeoIP2-Anonymous-IP-Test.json', [['is_hosting_provider']]],
    [
      'GeoLite2-City-Test.mmdb',
      'GeoLite2-City-Test.json.gz',
      [
        ['location', 'latitude'],
        ['location', 'longitude'],
      ],
    ],
  ])('reads all of %s as its source has it', (file, sourceFile, paths) => {
    const database = Mmdb.parse(read(file), file);
    const raw = read(sourceFile);
    const text = (sourceFile.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8');
    let checked = 0;
    for (const [block, record] of entriesOf(JSON.parse(text) as Source)) {
      const place = database.find(address((block.split('/')[0] as string).replace(/^::(?=\d+\.)/, '')));
      expect([block, place >= 0]).toEqual([block, true]);
      for (const path of paths) {
        const wanted = valueAt(record, path);
        const at = path.reduce((from, name) => database.data.child(from, key(name)), place);
        const value = database.data.number(at);
        if (wanted === undefined) continue;
        expect([block, value]).toEqual([block, Number(wanted)]);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(2);
  });

  it('knows London, and says nothing of addresses it does not know', () => {
    const database = Mmdb.parse(read('GeoIP2-City-Test.mmdb'), 'city');
    const place = database.find(address('81.2.69.142'));
    const { data } = database;
    const english = data.child(data.child(data.child(place, key('city')), key('names')), key('en'));
    expect(data.text(english)).toBe('London');
    expect(data.text(data.child(data.child(place, key('country')), key('iso_code')))).toBe('GB');
    expect(database.find(address('::ffff:81.2.69.142'))).toBe(place);
    expect(database.find(address('127.0.0.1'))).toBe(-1);
    expect(data.child(place, key('nothing'))).toBe(-1);
    expect(database.type).toBe('GeoIP2-City');
    expect(database.builtMs).toBeGreaterThan(1.5e12);
  });

  it.each([
    ['GeoIP2-City-Test-Broken-Double-Format.mmdb', /is a number of \d+ bytes instead of 8/],
    ['MaxMind-DB-test-broken-pointers-24.mmdb', /lies outside the data|points outside the data/],
    ['MaxMind-DB-no-ipv4-search-tree.mmdb', /no place for IPv4/],
    ['LICENSE-MIT', /holds no MaxMind metadata/],
    ['GeoLite2-City-Test.json.gz', /is compressed/],
  ])('refuses %s and says why', (file, reason) => {
    expect(() => Mmdb.parse(read(file), file)).toThrow(reason);
    expect(() => Mmdb.parse(read(file), file)).toThrow(PicketError);
  });

  it('refuses or reads a file with any bytes changed or cut off, and never throws anything else', () => {
    const whole = read('GeoLite2-ASN-Test.mmdb');
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    const addresses = ['1.128.0.0', '89.160.20.112', '2001:218::1', '255.255.255.255'].map(address);
    const run = (changes: [number, number][], keep: number) => {
      const bytes = Uint8Array.from(whole.subarray(0, keep));
      for (const [at, value] of changes) if (at < keep) bytes[at] = value;
      let database: Mmdb;
      try {
        database = Mmdb.parse(bytes, 'damaged');
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(PicketError);
        return;
      }
      for (const one of addresses) {
        const at = database.data.child(database.find(one), key('autonomous_system_number'));
        expect(typeof database.data.number(at)).toBe('number');
      }
    };
    const sizes = fc.oneof(fc.constant(whole.length), fc.nat(whole.length));
    fc.assert(fc.property(fc.array(change, { maxLength: 6 }), sizes, run), { numRuns: 400 });
  });
});
