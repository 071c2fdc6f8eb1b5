// Travel features against the full list of requests, and the one distance that is known.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GEO_FEATURES } from '../../domain/features-geo.ts';
import { seededRandom } from '../../domain/random.ts';
import { TRAVEL_WORDS } from '../profile-layout.ts';
import { DAY, type Seen, travelOf } from '../testing/naive-travel.ts';
import { outOfRange } from '../testing/ranges.ts';
import { distanceKm } from '../travel.ts';
import { EngineMemory } from './memory.ts';
import { CALL } from './row-kernels.ts';

const START_MS = 1_700_000_000_000;

const STATE_STARTED_MS = START_MS - 10 * DAY;

function traveller() {
  const memory = new EngineMemory(TRAVEL_WORDS * 4 + GEO_FEATURES.length * 8 + 128);
  const { kernels, words, floats, doubles } = memory;
  const block = memory.take(TRAVEL_WORDS * 4);
  const vector = memory.take(GEO_FEATURES.length * 8);
  const out = doubles.subarray(vector / 8, vector / 8 + GEO_FEATURES.length);
  const call = kernels.callAt.value;
  kernels.configureTravel(0);
  return (seen: Seen, stateAgeMs = seen.atMs - STATE_STARTED_MS): number[] => {
    doubles[(call + CALL.stateStartedMs) / 8] = seen.atMs - stateAgeMs;
    kernels.setMoment(seen.atMs);
    floats[(call + CALL.latitude) / 4] = seen.latitude;
    floats[(call + CALL.longitude) / 4] = seen.longitude;
    for (const name of ['country', 'asn', 'kind', 'pair'] as const)
      words[(call + CALL[name]) / 4] = seen[name];
    kernels.travelObserve(block, vector);
    expect(outOfRange(GEO_FEATURES, out)).toEqual([]);
    return [...out];
  };
}

const PLACES = [
  [51.5, -0.125, 18242],
  [40.75, -74, 21843],
  [-33.875, 151.25, 16725],
  [Number.NaN, Number.NaN, 0],
] as const;

describe('travel', () => {
  it('equals the full list', () => {
    const run = (seed: number) => {
      const random = seededRandom(seed);
      const observe = traveller();
      const history: Seen[] = [];
      let atMs = START_MS;
      for (let n = 0; n < 120; n++) {
        atMs += Math.floor(10 ** (random.next() * 7.8) - 1);
        const [latitude, longitude, country] = PLACES[random.int(4)] as (typeof PLACES)[number];
        const asn = random.int(4) * 1000;
        const pair = 1 + random.int(3);
        const seen = { atMs, latitude, longitude, country, asn, subnet: 0, kind: random.int(3), pair };
        expect([seed, n, ...observe(seen)]).toEqual([seed, n, ...travelOf(history, seen)]);
      }
    };
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), run), { numRuns: 40 });
  });

  it('measures London to New York, and calls an hour for it impossible but eight hours not', () => {
    expect(distanceKm(51.5074, -0.1278, 40.7128, -74.006)).toBeCloseTo(5570, -1);
    const flight = (hours: number) => {
      const observe = traveller();
      const at = (atMs: number, place: number): Seen => {
        const [latitude, longitude, country] = PLACES[place] as (typeof PLACES)[number];
        return { atMs, latitude, longitude, country, asn: 1, subnet: 0, kind: 0, pair: 1 };
      };
      observe(at(START_MS, 0));
      return observe(at(START_MS + hours * 3_600_000, 1))[6];
    };
    expect([flight(1), flight(8)]).toEqual([1, 0]);
  });

  it('keeps first-seen flags missing while the engine is young', () => {
    const observe = traveller();
    const seen = (n: number, country: number): Seen => ({
      atMs: START_MS + n,
      latitude: 1,
      longitude: 1,
      country,
      asn: country,
      subnet: 0,
      kind: 0,
      pair: 1,
    });
    for (let n = 0; n < 9; n++) expect(observe(seen(n, n + 1), DAY - 1).slice(8)).toEqual([NaN, NaN]);
    expect(observe(seen(10, 77), DAY).slice(8)).toEqual([1, 1]);
    expect(observe(seen(11, 77), DAY).slice(8)).toEqual([0, 0]);
  });
});
