// What do address databases cost? A request from a known address (cached facts, 10,000 addresses in random order), one from a new
// address (a look-up), bringing in a file on the control thread, and taking it up on the data thread. Without --geo FILE it takes
// the demo's country database. Run: node bench/micro/addresses.ts [--geo FILE] [--json]

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../domain/random.ts';
import { sipHash128 } from '../../domain/siphash.ts';
import { AddressBook } from '../../feature-engine/address-facts.ts';
import { type AddressData, addressSources, GeoFiles } from '../../feature-engine/geo-files.ts';

const FREE = '../../node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb';
const ROUNDS = 9;
const KNOWN = 10_000;
const LOOKS = 200_000;

const { values } = parseArgs({ options: { geo: { type: 'string' }, json: { type: 'boolean' } } });
const path = values.geo ?? fileURLToPath(new URL(FREE, import.meta.url));

interface Asked {
  readonly text: string;
  readonly hash: Uint32Array;
}

function addresses(seed: number, count: number): Asked[] {
  const random = seededRandom(seed);
  const key = Uint32Array.of(1, 2, 3, 4);
  return Array.from({ length: count }, () => {
    const word = random.uint32();
    const text = `${1 + ((word >>> 24) % 223)}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
    const hash = new Uint32Array(4);
    const bytes = Buffer.from(text);
    sipHash128(bytes, 0, bytes.length, key, hash);
    return { text, hash };
  });
}

function nanoseconds(asked: readonly Asked[], looks: number, book: AddressBook): number {
  const order = Uint32Array.from({ length: looks }, (_, i) => Math.imul(i, 2654435761) >>> 0);
  const started = performance.now();
  for (let i = 0; i < looks; i++) {
    const { hash, text } = asked[order[i]! % asked.length]!;
    book.look(hash, text);
  }
  return ((performance.now() - started) / looks) * 1e6;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** Nanoseconds of a known and of a new address. */
function measure(data: AddressData): { known: number; fresh: number } {
  const known = addresses(1, KNOWN);
  const rounds = Array.from({ length: ROUNDS }, (_, round) => {
    const book = new AddressBook();
    book.use(addressSources(data));
    nanoseconds(known, LOOKS, book);
    const knownNs = nanoseconds(known, LOOKS, book);
    const fresh = addresses(2 + round, 20_000);
    const started = performance.now();
    for (const { hash, text } of fresh) book.look(hash, text);
    return { known: knownNs, fresh: ((performance.now() - started) / fresh.length) * 1e6 };
  });
  return { known: median(rounds.map((one) => one.known)), fresh: median(rounds.map((one) => one.fresh)) };
}

const without = measure({});
const openMs: number[] = [];
const takeMs: number[] = [];
let data: AddressData = {};
for (let round = 0; round < 5; round++) {
  let started = performance.now();
  data = (await GeoFiles.open({ geo: path })).data;
  openMs.push(performance.now() - started);
  started = performance.now();
  new AddressBook(64).use(addressSources(data));
  takeMs.push(performance.now() - started);
}
const results = {
  known_ns: Math.round(measure(data).known),
  new_ns: Math.round(measure(data).fresh),
  known_without_database_ns: Math.round(without.known),
  new_without_database_ns: Math.round(without.fresh),
  read_and_check_ms: Math.round(median(openMs)),
  take_up_us: Math.round(median(takeMs) * 1000),
};
for (const [name, value] of Object.entries(results))
  process.stdout.write(`${name.padEnd(28)} ${String(value).padStart(8)}\n`);
if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
