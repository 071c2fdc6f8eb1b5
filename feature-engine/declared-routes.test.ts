// Declared routes: policy before the document, concrete before templated, methods, and a trie equal to a plain list.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeclaredPath } from '../domain/openapi.ts';
import { isLiteral, isWhole, matchesSegment, segmentsOf } from '../domain/path-template.ts';
import { parseRoutePattern } from '../domain/route-pattern.ts';
import { DeclaredRoutes } from './declared-routes.ts';

function pathOf(text: string, ...methods: string[]): DeclaredPath {
  return { text, operations: methods.map((method) => ({ method, parameters: [] })) };
}

const PATHS = [
  pathOf('/pets/{id}', 'GET', 'DELETE'),
  pathOf('/pets/mine', 'GET'),
  pathOf('/pets/{id}.json', 'GET'),
  pathOf('/pets/{id}/photos/{photo}', 'POST'),
  pathOf('/pets/mine/photos/first', 'GET'),
  pathOf('/', 'GET'),
];

describe('DeclaredRoutes', () => {
  it.each([
    ['GET', '/pets/mine', '/pets/mine', 1],
    ['GET', '/pets/7', '/pets/{id}', 0],
    ['HEAD', '/pets/7', '/pets/{id}', 0],
    ['GET', '/pets/7.json', '/pets/{id}.json', 2],
    // The concrete path has no DELETE, the templated one has.
    ['DELETE', '/pets/mine', '/pets/{id}', 0],
    // Into the concrete branch and back out of it.
    ['POST', '/pets/mine/photos/first', '/pets/{id}/photos/{photo}', 3],
    ['POST', '/pets/mine/photos/9', '/pets/{id}/photos/{photo}', 3],
    // No path has this method: a template to count by, not declared.
    ['PATCH', '/pets/7', '/pets/{id}', -1],
    ['GET', '/', '/', 5],
  ])('%s %s is %s', (method, path, text, place) => {
    expect(new DeclaredRoutes([], PATHS).find(method, path)).toMatchObject({ text, place });
  });

  it.each(['/pets', '/pets/', '/pets/7/', '/pets/7/photos/', '/Pets/7', '//pets/7', '/pets/7/x'])(
    '%s is no declared path',
    (path) => {
      expect(new DeclaredRoutes([], PATHS).find('GET', path)).toBeNull();
    },
  );

  it("lets the policy's routes win, and counts their places first", () => {
    const routes = new DeclaredRoutes([parseRoutePattern('GET /pets/{any}')], PATHS);
    expect(routes.find('GET', '/pets/mine')).toMatchObject({ text: '/pets/{any}', place: 0 });
    expect(routes.find('DELETE', '/pets/7')).toMatchObject({ text: '/pets/{id}', place: 1 });
  });

  it('finds what a plain list finds, and of that the most concrete from the left', () => {
    const segment = fc.constantFrom('a', 'b', '{x}', '{x}.a', 'a{x}');
    const template = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    const asked = fc.array(fc.constantFrom('a', 'b', 'c.a', 'ab', ''), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.uniqueArray(template, { minLength: 1, maxLength: 12 }), asked, (texts, parts) => {
        const path = `/${parts.join('/')}`;
        const all = texts.filter((text) => fitsPlainly(text, parts));
        const found = new DeclaredRoutes(
          [],
          texts.map((text) => pathOf(text, 'GET')),
        ).find('GET', path);
        if (all.length === 0) expect(found).toBeNull();
        else expect(rank(found!.text)).toBe(all.map(rank).toSorted()[0]);
      }),
      { numRuns: 500 },
    );
  });
});

function fitsPlainly(text: string, parts: readonly string[]): boolean {
  const segments = segmentsOf(text);
  return segments.length === parts.length && segments.every((one, i) => matchesSegment(one, parts[i]!));
}

/** Per segment: literal, then parameter with a literal, then a parameter alone. */
function rank(text: string): string {
  return segmentsOf(text)
    .map((segment) => (isLiteral(segment) ? 'a' : isWhole(segment) ? 'c' : 'b'))
    .join('');
}
