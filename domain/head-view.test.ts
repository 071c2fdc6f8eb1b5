// The head view keeps exactly the bytes it was given and never writes past its room.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEAD_VIEW_BYTES, HeadView, METHOD_OTHER } from './head-view.ts';
import { LIMITS } from './limits.ts';

const latin1 = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)),
  maxLength: 60,
});

describe('HeadView', () => {
  it('gives back every field byte for byte', () => {
    const view = new HeadView();
    fc.assert(
      fc.property(latin1, fc.array(fc.tuple(latin1, latin1), { maxLength: 40 }), (target, fields) => {
        expect(view.begin('GET', target)).toBe(true);
        for (const [name, value] of fields) view.add(name, value);
        expect(view.text(view.targetStart, view.targetEnd)).toBe(target);
        expect(view.text(view.targetStart, view.pathEnd)).toBe(target.split('?')[0]);
        fields.forEach(([, value], i) => {
          expect(view.text(view.valueStart(i), view.valueEnd(i))).toBe(value);
        });
        expect(view.fieldBytes).toBe(fields.flat().join('').length);
      }),
    );
  });

  it('refuses what does not fit and keeps its bounds', () => {
    const view = new HeadView(new Uint8Array(16));
    expect(view.begin('GET', '/0123456789abcdef')).toBe(false);
    expect(view.begin('GET', '/0123')).toBe(true);
    expect(view.add('name', 'long value')).toBe(-1);
    expect(view.fieldCount).toBe(0);
    const many = new HeadView();
    many.begin('GET', '/');
    for (let i = 0; i < LIMITS.fieldsMax; i++) expect(many.add('a', '')).toBe(i);
    expect(many.add('a', '')).toBe(-1);
  });

  it('starts anew without leftovers', () => {
    const view = new HeadView();
    view.begin('DELETE', '/a');
    view.contentLength = 5;
    view.userAgentField = view.add('user-agent', 'x');
    view.begin('PURGE', '/b?c');
    expect(view.method).toBe(METHOD_OTHER);
    expect([view.fieldCount, view.fieldBytes, view.userAgentField, view.contentLength]).toEqual([
      0,
      0,
      -1,
      Number.NaN,
    ]);
    expect(HEAD_VIEW_BYTES).toBeGreaterThanOrEqual(LIMITS.headMaxBytes + LIMITS.targetMaxBytes);
  });
});
