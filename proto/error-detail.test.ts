// A coded error survives its way through a header; oversized and foreign bytes do no harm.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PicketError } from '../domain/errors.ts';
import { decodeErrorDetail, encodeErrorDetail } from './error-detail.ts';

test('code, message, hint and problems come back', () => {
  const problems = [
    { field: 'fleet.mode', value: '"on"', expected: 'monitor or block', hint: 'see the docs' },
  ];
  const error = new PicketError('POLICY_INVALID', 'the policy breaks its schema', {
    problems,
    hint: 'mend it',
  });
  const back = decodeErrorDetail(encodeErrorDetail(error));
  expect(back).toMatchObject({ code: 'POLICY_INVALID', message: error.message, hint: 'mend it', problems });
});

test('a thousand long problems fit into 6 KiB, the first ones first', () => {
  const problems = Array.from({ length: 1000 }, (_, i) => ({
    field: `f${i}`,
    value: 'x'.repeat(1000),
    expected: 'é'.repeat(500),
  }));
  const bytes = encodeErrorDetail(new PicketError('POLICY_INVALID', 'm'.repeat(10_000), { problems }));
  expect(bytes.length).toBeLessThanOrEqual(6 * 1024);
  expect(decodeErrorDetail(bytes)?.problems[0]?.field).toBe('f0');
});

test('any bytes give an error or null, never an exception', () => {
  const odd = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(odd, (bytes) => {
      const back = decodeErrorDetail(bytes);
      expect(back === null || back instanceof PicketError).toBe(true);
    }),
  );
});
