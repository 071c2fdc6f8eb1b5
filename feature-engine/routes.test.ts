// Routes: declared ones win exactly, ids become {id}, the table is bounded and its fullness never changes a hash.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadView } from '../domain/head-view.ts';
import { LIMITS } from '../domain/limits.ts';
import { parseRoutePattern } from '../domain/route-pattern.ts';
import { OTHER_ROUTE, RouteTable } from './routes.ts';

function headOf(method: string, target: string): HeadView {
  const head = new HeadView();
  head.begin(method, target);
  return head;
}

describe('RouteTable', () => {
  it.each([
    ['/', '/'],
    ['/orders/17', '/orders/{id}'],
    ['/orders/17?x=1', '/orders/{id}'],
    ['/p/123e4567-e89b-12d3-a456-426614174000/edit', '/p/{id}/edit'],
    ['/blob/deadbeefdeadbeefdead', '/blob/{id}'],
    ['/t/a8f3k2m9', '/t/{id}'],
    ['/blog/logstash-monitorama-2013', '/blog/logstash-monitorama-2013'],
    ['/oauth2/token', '/oauth2/token'],
    ['/v1beta1/pods', '/v1beta1/pods'],
    ['/a/favicon.ico', '/a/favicon.ico'],
    [`/x/${'w'.repeat(49)}`, '/x/{id}'],
    ['/a//b/', '/a//b/'],
    [`/${'one-long-word/'.repeat(6)}`, '/one-long-word/one-long-word/one-long-word/one-long-word/{rest}'],
  ])('%s -> %s', (target, text) => {
    expect(new RouteTable().resolve(headOf('GET', target)).text).toBe(text);
  });

  it('lets declared routes win, by method, also from the cache', () => {
    const declared = [parseRoutePattern('GET /orders/{id}'), parseRoutePattern('* /files/{name}')];
    const table = new RouteTable({ declared });
    for (let round = 0; round < 2; round++) {
      expect(table.resolve(headOf('GET', '/orders/new?x'))).toMatchObject({
        text: '/orders/{id}',
        declared: 0,
      });
      expect(table.resolve(headOf('POST', '/orders/new'))).toMatchObject({
        text: '/orders/new',
        declared: -1,
      });
      expect(table.resolve(headOf('BREW', '/files/a'))).toMatchObject({ text: '/files/{name}', declared: 1 });
      expect(table.resolve(headOf('GET', '/files/'))).toMatchObject({ declared: -1 });
    }
  });

  it('tells methods apart by hash, ids not', () => {
    const table = new RouteTable();
    const hash = (method: string, target: string) => table.resolve(headOf(method, target)).hash;
    expect(hash('GET', '/orders/1')).toBe(hash('GET', '/orders/99'));
    expect(hash('GET', '/orders/1')).not.toBe(hash('DELETE', '/orders/1'));
    expect(hash('GET', '/orders/1')).not.toBe(hash('GET', '/items/1'));
  });

  it('stops learning at its bound; hashes stay those of an empty table', () => {
    const table = new RouteTable({ learnedMax: 10 });
    for (let i = 0; i < 500; i++) {
      const head = headOf('GET', `/word${'abcdefghijklmnopqrstuvwxyz'[i % 26]}/${'x'.repeat(1 + (i % 20))}`);
      const route = table.resolve(head);
      expect(route.hash).toBe(new RouteTable().resolve(head).hash);
      if (i > 40 && i < 60) expect(route.text).toBe(OTHER_ROUTE);
    }
    expect(table.learnedCount).toBe(10);
  });

  it('answers the same from the cache as without it, for any path, within its bytes', () => {
    const kept = new RouteTable();
    fc.assert(
      fc.property(fc.array(fc.webPath(), { minLength: 1, maxLength: 20 }), (paths) => {
        for (const path of [...paths, ...paths]) {
          const head = headOf('GET', path.startsWith('/') ? path : `/${path}`);
          const route = kept.resolve(head);
          const fresh = new RouteTable().resolve(head);
          expect(route.hash).toBe(fresh.hash);
          expect(route.text.length).toBeLessThanOrEqual(LIMITS.eventRouteMaxBytes);
        }
      }),
      { numRuns: 25 },
    );
  });
});
