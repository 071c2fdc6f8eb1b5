// Every event, amendment and range survives domain -> bytes -> domain; whatever bytes arrive, decoding gives a value or problems.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventAmendment, EventOutcome, PicketEvent } from '../domain/event.ts';
import { METHODS } from '../domain/head-view.ts';
import { IDENTITY_KINDS, PRINCIPAL_SOURCES } from '../domain/identity.ts';
import {
  ACTIONS,
  MODE_SOURCES,
  MODES,
  UNSCORED_CAUSES,
  VERDICT_REASONS,
  VERDICTS,
} from '../domain/verdict.ts';
import { Amendment, DroppedRange, Event, PublishRequest } from './gen/picket/v1/events.ts';
import {
  decodeAmendment,
  decodeDropped,
  decodeEvent,
  encodeAmendment,
  encodeDropped,
  encodeEvent,
  keyBytes,
  keyHex,
  vectorOf,
} from './wire.ts';

const hexKey = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString('hex'));
const text = (maxLength: number) => fc.string({ maxLength, unit: 'binary-ascii' });
const count = fc.nat({ max: 2 ** 50 });
const outcome: fc.Arbitrary<EventOutcome> = fc.record({
  status: fc.integer({ min: 0, max: 999 }),
  latencyMs: fc.nat(),
  bytesIn: count,
  bytesOut: count,
  refusal: text(40),
});
const sequence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const event: fc.Arbitrary<PicketEvent> = fc
  .record({
    bootId: hexKey,
    stream: fc.nat({ max: 65_535 }),
    sequence,
    requestId: text(64),
    atMs: count,
    namespace: text(63),
    workload: text(63),
    identityKind: fc.constantFrom(...IDENTITY_KINDS),
    identityKey: hexKey,
    addressKey: hexKey,
    principalKey: hexKey,
    principalSource: fc.constantFrom(...PRINCIPAL_SOURCES),
    identityKeyId: fc.integer({ min: 0, max: 0xffff_ffff }),
    method: fc.constantFrom(...METHODS),
    route: text(64),
    path: text(96),
    score: fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x + 0),
    margin: fc.double().map((x) => x + 0),
    unscored: fc.constantFrom(...UNSCORED_CAUSES),
    attackClass: text(20),
    verdict: fc.constantFrom(...VERDICTS),
    reason: fc.constantFrom(...VERDICT_REASONS),
    signals: fc.integer({ min: 0, max: 0xffff_ffff }),
    action: fc.constantFrom(...ACTIONS),
    mode: fc.constantFrom(...MODES),
    modeSource: fc.constantFrom(...MODE_SOURCES),
    policyVersion: text(40),
    bundleId: text(64),
    sampleWeight: fc.double({ min: 1, max: 1e6, noNaN: true }),
    schemaId: text(16),
    vector: fc.float32Array({ maxLength: 100 }),
    outcome: fc.option(outcome),
  })
  .map((e) => (e.unscored === 'none' ? e : { ...e, score: Number.NaN, margin: Number.NaN }));

describe('wire', () => {
  test('an event comes back as it was', () => {
    fc.assert(
      fc.property(event, (given) => {
        const received = Event.decode(Event.encode(encodeEvent(given)).finish());
        const decoded = decodeEvent(received, given);
        expect(decoded.problems).toBeUndefined();
        if (decoded.problems !== undefined) return;
        const { vector, ...rest } = decoded.value;
        const { vector: vectorGiven, ...restGiven } = given;
        expect(rest).toEqual(restGiven);
        expect(Buffer.from(vector.buffer)).toEqual(Buffer.from(vectorGiven.slice().buffer));
      }),
    );
  });

  test('amendments and dropped ranges come back as they were', () => {
    const amendment: fc.Arbitrary<EventAmendment> = fc
      .record({ bootId: hexKey, stream: fc.nat({ max: 65_535 }), sequence, outcome, share: fc.nat() })
      .filter((a) => a.sequence > 1)
      .map(({ share, ...a }) => ({ ...a, amends: 1 + (share % (a.sequence - 1)) }));
    fc.assert(
      fc.property(amendment, (given) => {
        const received = Amendment.decode(Amendment.encode(encodeAmendment(given)).finish());
        expect(decodeAmendment(received, given.bootId)).toEqual({ value: given });
      }),
    );
    const range = { stream: 3, first: 7, last: 2 ** 50 };
    const received = DroppedRange.decode(DroppedRange.encode(encodeDropped(range)).finish());
    expect(decodeDropped(received)).toEqual({ value: range });
  });

  test('keys are 16 bytes, vectors whole floats, NaN payloads kept', () => {
    expect(keyHex(keyBytes('00112233445566778899aabbccddeeff'))).toBe('00112233445566778899aabbccddeeff');
    expect(keyHex(new Uint8Array(15))).toBeNull();
    expect(vectorOf(new Uint8Array(3))).toBeNull();
    const odd = Uint8Array.of(0x01, 0x00, 0xa0, 0x7f);
    expect(new Uint8Array(vectorOf(odd)?.buffer ?? new ArrayBuffer(0))).toEqual(odd);
  });

  test('an empty or strange event gives problems that name the field', () => {
    const producer = { bootId: '0'.repeat(32), namespace: 'n', workload: 'w' };
    const fields = decodeEvent(Event.fromPartial({}), producer).problems?.map((p) => p.field);
    expect(fields).toEqual(
      expect.arrayContaining(['sequence', 'identity_kind', 'identity_key', 'verdict', 'reason', 'mode']),
    );
    expect(decodeDropped({ stream: 0, first: 5, last: 4 }).problems?.[0]?.value).toBe('5..4');
    expect(decodeAmendment(Amendment.fromPartial({ sequence: 1, amends: 1 }), '').problems).toHaveLength(2);
  });

  test('any bytes: parsing throws plainly or gives a batch whose events decode or are refused', () => {
    const producer = { bootId: '0'.repeat(32), namespace: '', workload: '' };
    const valid = PublishRequest.encode(
      PublishRequest.fromPartial({ batch: 1, events: [Event.fromPartial({ sequence: 1, path: '/x' })] }),
    ).finish();
    const mutated = fc
      .array(fc.tuple(fc.nat({ max: valid.length - 1 }), fc.nat({ max: 255 })), { maxLength: 6 })
      .map((edits) => {
        const bytes = Uint8Array.from(valid);
        for (const [place, value] of edits) bytes[place] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        let batch: PublishRequest;
        try {
          batch = PublishRequest.decode(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Error);
          return;
        }
        for (const received of batch.events) {
          const decoded = decodeEvent(received, producer);
          expect(decoded.problems === undefined || decoded.problems.length > 0).toBe(true);
        }
        for (const range of batch.dropped) decodeDropped(range);
        for (const amendment of batch.amendments) decodeAmendment(amendment, producer.bootId);
      }),
      { numRuns: 500 },
    );
  });
});
