// Declared routes: form, and matching by whole segments on the raw path.

import { describe, expect, it } from 'vitest';
import { isRoutePattern, matchesRoute, parseRoutePattern } from './route-pattern.ts';

describe('route patterns', () => {
  it('accept METHOD /template with whole-segment placeholders only', () => {
    for (const good of ['GET /', '* /a', 'DELETE /orders/{id}', 'GET /a/{b}/c/'])
      expect(isRoutePattern(good)).toBe(true);
    for (const bad of [
      '',
      '/a',
      'get /a',
      'GET a',
      'GET /a?b',
      'GET /a{b}',
      'GET /{}',
      'GET /{a b}',
      'GET /a#b',
    ]) {
      expect([bad, isRoutePattern(bad)]).toEqual([bad, false]);
      expect(() => parseRoutePattern(bad)).toThrow(RangeError);
    }
  });

  it.each([
    ['GET /orders/{id}', 'GET', '/orders/1', true],
    ['GET /orders/{id}', 'POST', '/orders/1', false],
    ['* /orders/{id}', 'POST', '/orders/1', true],
    ['GET /orders/{id}', 'GET', '/orders/', false],
    ['GET /orders/{id}', 'GET', '/orders', false],
    ['GET /orders/{id}', 'GET', '/orders/1/', false],
    ['GET /orders/{id}/', 'GET', '/orders/1/', true],
    ['GET /orders/{id}', 'GET', '/orders/1/2', false],
    ['GET /', 'GET', '/', true],
    ['GET /', 'GET', '/a', false],
    ['GET /a', 'GET', '/A', false],
  ])('%s against %s %s: %s', (pattern, method, path, expected) => {
    expect(matchesRoute(parseRoutePattern(pattern), method, path)).toBe(expected);
  });
});
