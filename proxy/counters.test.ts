// Counters: every reason code has a place of its own, histograms keep counts, and quantiles bracket the values.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NOTES, REFUSAL_CODES } from '../domain/refusal.ts';
import { MODES, UNSCORED_CAUSES, VERDICTS } from '../domain/verdict.ts';
import {
  answerPlace,
  binOf,
  binUpperMs,
  COUNTER,
  COUNTERS_BYTES,
  Counters,
  HISTOGRAM,
  HISTOGRAM_BINS,
  NOTE_CODES,
  notePlace,
  quantileMs,
  refusedPlace,
  rejectedPlace,
  statusClassPlace,
  uninspectedPlace,
  verdictPlace,
} from './counters.ts';

test('no two counters share a place, and all lie in the buffer', () => {
  const places = [
    ...Object.values(COUNTER),
    ...UNSCORED_CAUSES.map(uninspectedPlace),
    ...REFUSAL_CODES.flatMap((code) => [rejectedPlace(code), refusedPlace(code), answerPlace(code)]),
    ...NOTE_CODES.map(notePlace),
    ...VERDICTS.flatMap((verdict) => MODES.map((mode) => verdictPlace(verdict, mode))),
    ...[0, 100, 200, 300, 400, 500].map(statusClassPlace),
    ...Object.values(HISTOGRAM).flatMap((start) =>
      Array.from({ length: HISTOGRAM_BINS + 1 }, (_, i) => start + i),
    ),
  ];
  expect(new Set(places).size).toBe(places.length);
  expect(Math.max(...places) + 1).toBe(COUNTERS_BYTES / 8);
  expect(NOTE_CODES).toEqual(Object.keys(NOTES));
});

test('a second reader of the same buffer sees the counts', () => {
  const writer = new Counters();
  writer.add(COUNTER.requests);
  writer.add(COUNTER.bytesIn, 700);
  writer.set(COUNTER.inflight, 3);
  const reader = new Counters(writer.buffer);
  expect([COUNTER.requests, COUNTER.bytesIn, COUNTER.inflight].map((place) => reader.get(place))).toEqual([
    1, 700, 3,
  ]);
  expect(() => new Counters(new SharedArrayBuffer(8))).toThrow(RangeError);
});

test('a value falls into the bin whose bounds hold it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 130_000, noNaN: true }), (valueMs) => {
      const bin = binOf(valueMs);
      expect(valueMs).toBeLessThan(binUpperMs(bin) * (1 + 1e-9));
      if (bin > 0) expect(valueMs).toBeGreaterThanOrEqual(binUpperMs(bin - 1) * (1 - 1e-9));
    }),
  );
  expect([binOf(0), binOf(-1), binOf(Number.NaN), binOf(1e9)]).toEqual([0, 0, 0, HISTOGRAM_BINS - 1]);
});

test('quantiles are right to within one bin', () => {
  const counters = new Counters();
  for (let i = 1; i <= 1000; i++) counters.observe(HISTOGRAM.addedLatency, i);
  const bins = new Float64Array(HISTOGRAM_BINS);
  expect(counters.readHistogram(HISTOGRAM.addedLatency, bins)).toBe(500_500);
  expect(quantileMs(bins, 0.5) / 500).toBeGreaterThanOrEqual(1);
  expect(quantileMs(bins, 0.5) / 500).toBeLessThan(1.1);
  expect(quantileMs(bins, 0.99) / 990).toBeLessThan(1.1);
  expect(quantileMs(new Float64Array(HISTOGRAM_BINS), 0.5)).toBeNaN();
});
