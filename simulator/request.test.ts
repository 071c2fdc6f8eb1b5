// Request ids: one length for all labels, read back exactly, and nothing else is read as one.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ATTACKS, type Label, parseRequestId, requestIdOf } from './request.ts';

it('makes ids of one length that read back', () => {
  const labels: Label[] = ['normal', ...ATTACKS];
  fc.assert(
    fc.property(
      fc.constantFrom(...labels),
      fc.stringMatching(/^[a-z]\w{0,13}$/),
      fc.integer({ min: 1, max: 99_999 }),
      (label, actor, nth) => {
        const id = requestIdOf({ label, actor, nth });
        expect(id).toHaveLength(44);
        expect(parseRequestId(id)).toEqual({ label, actor, nth });
      },
    ),
  );
});

it('reads nothing else', () => {
  for (const id of ['', 'sim-', 'sim-normal-u1', 'sim-nice-u1-1', 'x-sim-normal-u1-1', 'sim-normal-u 1-1'])
    expect(parseRequestId(id)).toBeNull();
});
