// Object ids and query parameters as they are found in targets.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadView } from '../domain/head-view.ts';
import { ObjectId } from './object-id.ts';

const UUIDS = ['0', '1'].map((n) => `${n.repeat(8)}-0000-4000-8000-${n.repeat(12)}`);

describe('ObjectId', () => {
  it.each([
    ['/order/17', 17],
    ['/order/17/lines', 17],
    ['/shop/3/order/17', 17],
    ['/order/007', 7],
    ['/order/9999999999999999', Number.NaN],
    [`/profile/${UUIDS[1]}`, Number.NaN],
  ])('finds the id of %s', (target, number) => {
    const head = new HeadView();
    head.begin('GET', `${target}?x=5`);
    const id = new ObjectId();
    id.read(head, 0);
    expect(id.hash).not.toBe(0);
    expect(id.number).toBe(number);
    expect(id.paramCount).toBe(1);
  });

  it.each(['/', '/order', '//', '/order/?id=17', '*'])('finds none in %s', (target) => {
    const head = new HeadView();
    head.begin('GET', target);
    const id = new ObjectId();
    id.read(head, 0);
    expect(id.hash).toBe(0);
  });

  it('reads at most eight parameters, whatever the query', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (query) => {
        const head = new HeadView();
        head.begin('GET', `/?${query}`);
        const id = new ObjectId();
        id.read(head, 0);
        const parts = query.split('&').filter((part) => part !== '');
        expect(id.paramCount).toBe(Math.min(parts.length, 8));
      }),
    );
  });
});
