// Explaining: the identities with the highest margins, their worst request, reasons in the order of what they add,
// against a plain model whose answers are known.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FEATURE_COUNT, placeOf } from '../domain/features.ts';
import type { LogRequest } from '../simulator/access-log.ts';
import { Explainer, type MarginModel } from './explain.ts';
import { explainedText } from './explain-text.ts';

const RATE = placeOf('identity_requests_10s');
const ERRORS = placeOf('identity_client_error_share_5m');
const GAP = placeOf('identity_gap_ms');

/** Rate above 10 adds 3, errors above a half add 2, a missing gap adds 1; and 1 more for rate and errors together. */
const MODEL: MarginModel = {
  places: [RATE, ERRORS, GAP],
  marginOf(features) {
    const rate = features[RATE]! > 10;
    const errors = features[ERRORS]! > 0.5;
    return -4 + (rate ? 3 : 0) + (errors ? 2 : 0) + (rate && errors ? 1 : 0) + (features[GAP]! >= 0 ? 0 : 1);
  },
};

const LINE: LogRequest = {
  atMs: Date.UTC(2026, 10, 22),
  address: '10.0.0.1',
  method: 'GET',
  target: '/a?secret=1',
  status: 404,
  bodyBytes: 0,
  referer: null,
  agent: null,
};

function vectorOf(rate: number, errors: number, gap: number): Float64Array {
  const vector = new Float64Array(FEATURE_COUNT);
  vector[RATE] = rate;
  vector[ERRORS] = errors;
  vector[GAP] = gap;
  return vector;
}

describe('Explainer', () => {
  it('names the features that raise the margin, most first, beside what is ordinary', () => {
    const explainer = new Explainer(1);
    for (let i = 0; i < 9; i++)
      explainer.add(`user ${i}`, -4, { line: LINE, vector: vectorOf(2, 0, 5000 + i), flagged: false });
    const vector = vectorOf(80, 1, Number.NaN);
    explainer.add('scanner', MODEL.marginOf(vector), { line: LINE, vector, flagged: true });
    const [found] = explainer.explain(MODEL);
    expect(found).toMatchObject({ identity: 'scanner', margin: 3, ordinary_margin: -4, rest: 0 });
    expect(
      found!.reasons.map(({ feature, value, ordinary, gain }) => [feature, value, ordinary, gain]),
    ).toEqual([
      ['identity_requests_10s', 80, 2, 3],
      ['identity_client_error_share_5m', 1, 0, 3],
      ['identity_gap_ms', null, 5004, 1],
    ]);
    expect(found!.request).toEqual({
      time: '2026-11-22T00:00:00.000Z',
      method: 'GET',
      path: '/a',
      status: 404,
    });
    const text = explainedText([found!]);
    expect(text).toContain('identity_gap_ms (ms): missing, ordinary 5004');
    expect(text).not.toContain('secret');
  });

  it('keeps the identities with the highest margins, each with its highest, in any order', () => {
    const seen = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: -50, max: 50 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(seen, fc.integer({ min: 1, max: 6 }), (requests, max) => {
        const explainer = new Explainer(max);
        const best = new Map<string, number>();
        for (const [who, margin] of requests) {
          const vector = vectorOf(margin, 0, 0);
          explainer.add(`${who}`, margin, { line: LINE, vector, flagged: margin > 0 });
          best.set(`${who}`, Math.max(margin, best.get(`${who}`) ?? -Infinity));
          vector.fill(-1);
        }
        const found = explainer.explain({ places: [], marginOf: () => 0 });
        const expected = [...best.values()].toSorted((a, b) => b - a).slice(0, max);
        expect(found.map(({ margin }) => margin)).toEqual(expected);
        for (const { identity, margin } of found) expect(best.get(identity)).toBe(margin);
      }),
    );
  });

  it('explains where everything is flagged: the ordinary request is then all missing', () => {
    const explainer = new Explainer(2);
    explainer.add('a', 1, { line: LINE, vector: vectorOf(80, 0, 1), flagged: true });
    const [found] = explainer.explain(MODEL);
    expect(found).toMatchObject({
      ordinary_margin: -3,
      reasons: [{ feature: 'identity_requests_10s', ordinary: null }],
    });
  });
});
