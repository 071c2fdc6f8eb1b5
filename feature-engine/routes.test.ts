// Routes: declared ones win exactly, ids become {id}, the table is bounded and its fullness never changes a hash.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadView } from '../domain/head-view.ts';
import { LIMITS } from '../domain/limits.ts';
import { parseRoutePattern } from '../domain/route-pattern.ts';
import { RouteTable } from './routes.ts';

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
    ['/logs/2026-11-22', '/logs/{id}'],
    ['/logs/2026-11-22T10:00:00Z/lines', '/logs/{id}/lines'],
    ['/reports/2026-11', '/reports/{id}'],
    ['/reports/2026-W47', '/reports/{id}'],
    ['/reports/2026-wide', '/reports/2026-wide'],
    ['/blobs/sha256:9f86d081884c7d65', '/blobs/{id}'],
    ['/jobs/run:all', '/jobs/run:all'],
    [`/${'one-long-word/'.repeat(6)}`, '/one-long-word/one-long-word/one-long-word/one-long-word/{rest}'],
  ])('%s -> %s', (target, text) => {
    expect(new RouteTable().resolve(headOf('GET', target)).text).toBe(text);
  });

  it('lets declared routes win, by method, also from the cache', () => {
    const patterns = [parseRoutePattern('GET /orders/{id}'), parseRoutePattern('* /files/{name}')];
    const table = new RouteTable({ patterns });
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

  it('has one hash for the same words, declared or learned, whatever the parameters are called', () => {
    const learned = new RouteTable().resolve(headOf('GET', '/v1/orders/17/items')).hash;
    const patterns = [parseRoutePattern('* /v1/orders/{order}/items')];
    const paths = [{ text: '/v1/orders/{orderId}/items', operations: [{ method: 'GET', parameters: [] }] }];
    for (const table of [new RouteTable({ patterns }), new RouteTable({ paths })])
      expect(table.resolve(headOf('GET', '/v1/orders/new/items'))).toMatchObject({
        hash: learned,
        declared: 0,
      });
  });

  it('keeps what it learned when other routes are declared', () => {
    const table = new RouteTable({ learnedMax: 4 });
    table.answered(table.resolve(headOf('GET', '/orders/1')), 200);
    table.declare({ patterns: [parseRoutePattern('GET /files/{name}')] });
    expect(table.resolve(headOf('GET', '/files/x')).declared).toBe(0);
    expect(table.learned.count).toBe(1);
    table.declare({});
    expect(table.resolve(headOf('GET', '/files/x')).declared).toBe(-1);
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
