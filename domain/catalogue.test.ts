// The closed lists agree with themselves: features, signals, refusals, errors, schema ids, exemptions.

import { describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from './clock.ts';
import { describeError, PicketError } from './errors.ts';
import { compileExemptions, findExemption } from './exemption.ts';
import { FEATURE_COUNT, FEATURES, OFFERED_IDS, placeOf } from './features.ts';
import { LIMITS } from './limits.ts';
import { isRejection, REFUSAL_CODES, REFUSALS } from './refusal.ts';
import { schemaId } from './schema-id.ts';
import { SIGNALS, signalBits, signalCodes } from './signal.ts';

describe('features', () => {
  it('have unique ids and names and leave room for slots', () => {
    expect(new Set(OFFERED_IDS).size).toBe(FEATURE_COUNT);
    expect(new Set(FEATURES.map((f) => f.name)).size).toBe(FEATURE_COUNT);
    expect(FEATURE_COUNT).toBeLessThan(LIMITS.vectorPlaces - 32);
    expect(() => placeOf('no_such_feature')).toThrow(RangeError);
  });

  it('keep their ids for ever: id and name of the first release', () => {
    const pinned = [
      [1, 'method_get'],
      [14, 'target_rewritten'],
      [100, 'identity_requests_10s'],
      [225, 'address_requests_total'],
      [306, 'route_new'],
      [400, 'state_age_s'],
    ];
    for (const [id, name] of pinned) expect(FEATURES.find((f) => f.id === id)?.name).toBe(name);
  });
});

describe('signals', () => {
  it('fit into 32 bits, have unique codes and ignore missing values', () => {
    expect(SIGNALS.length).toBeLessThanOrEqual(32);
    expect(new Set(SIGNALS.map((s) => s.code)).size).toBe(SIGNALS.length);
    expect(signalBits(new Float64Array(FEATURE_COUNT).fill(Number.NaN))).toBe(0);
  });

  it('switch on at their line', () => {
    for (const [i, signal] of SIGNALS.entries()) {
      const vector = new Float64Array(FEATURE_COUNT).fill(Number.NaN);
      vector[placeOf(signal.feature)] = signal.from;
      expect(signalCodes(signalBits(vector))).toContain(signal.code);
      vector[placeOf(signal.feature)] = signal.from - 1e-6;
      expect((signalBits(vector) >>> i) & 1).toBe(0);
    }
  });
});

it('refusals carry a real status, and only protocol and limit are rejections', () => {
  for (const code of REFUSAL_CODES) expect(REFUSALS[code].status).toBeGreaterThanOrEqual(400);
  expect(isRejection('protocol.chunk') && isRejection('limit.head')).toBe(true);
  expect(isRejection('policy.blocked') || isRejection('upstream.reset')).toBe(false);
});

it('schema ids tell lists apart and repeat', () => {
  expect(schemaId([1, 2])).toBe(schemaId([1, 2]));
  expect(schemaId([1, 2])).not.toBe(schemaId([12]));
  expect(schemaId(OFFERED_IDS)).toMatch(/^[0-9a-f]{16}$/);
});

it('exemptions match by identity, address or route, and end', () => {
  const base = { reason: 'r', owner: 'o' };
  const list = compileExemptions([
    { ...base, id: 'old', cidr: '10.0.0.0/8', expires: '2026-01-01T00:00:00Z' },
    { ...base, id: 'who', identity: `bearer:${'a'.repeat(32)}` },
    { ...base, id: 'where', route: 'GET /health' },
  ]);
  const query = {
    identity: 'x',
    address: new Uint8Array(16),
    method: 'GET',
    path: '/',
    nowMs: Date.parse('2026-06-01T00:00:00Z'),
  };
  expect(findExemption(list, query)).toBeNull();
  expect(findExemption(list, { ...query, identity: `bearer:${'a'.repeat(32)}` })?.id).toBe('who');
  expect(findExemption(list, { ...query, path: '/health' })?.kind).toBe('route');
});

it('clocks never go backwards', () => {
  const manual = new ManualClock(10);
  manual.moveTo(5);
  expect(manual.nowMs()).toBe(10);
  const clock = systemClock(1000);
  const first = clock.nowMs();
  expect(Number.isInteger(first) && clock.nowMs() >= first).toBe(true);
});

it('errors say what, where and how to mend it', () => {
  const error = new PicketError('CONFIG_INVALID', 'bad', {
    problems: [{ field: 'a', value: '1', expected: '2', hint: 'h' }],
    hint: 'do this',
  });
  expect(describeError(error)).toBe('CONFIG_INVALID: bad\n  a: found 1, expected 2 (h)\nHint: do this');
  expect(PicketError.from(error)).toBe(error);
  expect(PicketError.from('text').code).toBe('INTERNAL');
});
