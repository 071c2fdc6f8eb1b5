// Learned templates: good answers teach, floods do not, a position with too many words is split once, hashes stay what they
// were, and what is saved comes back the same.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadView } from '../domain/head-view.ts';
import { LIMITS } from '../domain/limits.ts';
import { LearnedRoutes, OTHER_ROUTE, WORDS_MAX } from './learned-routes.ts';
import { type Route, RouteTable } from './routes.ts';

function headOf(target: string): HeadView {
  const head = new HeadView();
  head.begin('GET', target);
  return head;
}

function ask(table: RouteTable, target: string, status = 200): Route {
  const route = table.resolve(headOf(target));
  table.answered(route, status);
  return route;
}

/** A word of letters for a number: never an id. */
function word(n: number): string {
  return `w${n.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)]!)}`;
}

const FILL = Array.from({ length: WORDS_MAX + 1 }, (_, i) => `/users/${word(i)}`);

describe('high-cardinality segments', () => {
  it('splits a prefix at one word too many: new words are parameters, known ones keep their template', () => {
    const table = new RouteTable();
    const before = ask(table, FILL[0]!);
    for (const path of FILL) ask(table, path);
    const first = ask(table, '/users/zora');
    expect(first.text).toBe('/users/{id}');
    expect(ask(table, '/users/zoe').hash).toBe(first.hash);
    expect(ask(table, '/users/zoe/orders').text).toBe('/users/{id}/orders');
    expect(ask(table, FILL[0]!)).toEqual({ ...before, lesson: null });
    expect(first.hash).toBe(new RouteTable().resolve(headOf('/users/17')).hash);
  });

  it('counts each prefix alone, and ids not at all', () => {
    const table = new RouteTable();
    for (let i = 0; i < 4 * WORDS_MAX; i++) ask(table, `/orders/${i}/lines`);
    for (let i = 0; i < WORDS_MAX; i++) ask(table, `/a/${word(i)}`);
    expect(ask(table, '/orders/1/other').text).toBe('/orders/{id}/other');
    expect(ask(table, '/b/zora').text).toBe('/b/zora');
  });

  it('learns nothing from bad answers', () => {
    const table = new RouteTable();
    for (let i = 0; i < 5000; i++) ask(table, `/users/${word(i)}`, i % 2 === 0 ? 404 : 500);
    expect([table.learned.count, table.learned.prefixCount, table.learned.changes]).toEqual([0, 1, 0]);
    expect(ask(table, '/users/zora').hash).toBe(new RouteTable().resolve(headOf('/users/zora')).hash);
    expect(ask(table, '/users/zora').text).toBe('/users/zora');
  });

  it('names templates that were never answered well up to a bound, then other', () => {
    const table = new RouteTable({ learnedMax: 40 });
    const texts = Array.from({ length: 100 }, (_, i) => ask(table, `/x/${word(i)}`, 404).text);
    expect(new Set(texts).size).toBe(11);
    expect(texts.at(-1)).toBe(OTHER_ROUTE);
    expect(ask(table, '/x/real').text).toBe(OTHER_ROUTE);
    expect(ask(table, '/x/real').text).toBe('/x/real');
  });
});

describe('bounds', () => {
  it('holds a flood of random paths, answered well, and keeps what was known', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), (seed) => {
        const table = new RouteTable({ learnedMax: 64 });
        const known = ['/orders', '/orders/1', '/orders/1/lines', '/health'].map((path) => ({
          path,
          route: ask(table, path),
        }));
        let state = seed;
        for (let i = 0; i < 3000; i++) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          ask(table, `/${word(state % 999)}/${word(state % 7919)}/${word(state % 104729)}`);
        }
        for (const { path, route } of known) {
          const now = ask(table, path);
          expect([now.text, now.hash]).toEqual([route.text, route.hash]);
        }
        expect(table.learned.count).toBeLessThanOrEqual(64);
        expect(table.learned.prefixCount).toBeLessThanOrEqual(512);
        expect(table.learned.save().length).toBeLessThan(64 * 100 + 512 * 20);
      }),
      { numRuns: 5 },
    );
  });

  it('still splits positions when there are enough names, and a full table changes no hash', () => {
    const table = new RouteTable({ learnedMax: 16 });
    for (const path of FILL) ask(table, path);
    expect(table.learned.count).toBe(16);
    expect(ask(table, '/users/zora').hash).toBe(ask(table, '/users/17').hash);
    const other = ask(table, '/elsewhere/zora');
    expect(other.text).toBe(OTHER_ROUTE);
    expect(other.hash).toBe(new RouteTable().resolve(headOf('/elsewhere/zora')).hash);
  });

  it('changes the hash of a path at most once per prefix, whatever comes in which order', () => {
    const segment = fc.integer({ min: 0, max: 3 * WORDS_MAX }).map(word);
    const path = fc.array(segment, { minLength: 1, maxLength: 2 }).map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(fc.array(path, { minLength: 200, maxLength: 600 }), (paths) => {
        const table = new RouteTable();
        const seen = new Map<string, number[]>();
        for (const one of paths) {
          const { hash } = ask(table, one);
          const hashes = seen.get(one) ?? [];
          if (hashes.at(-1) !== hash) hashes.push(hash);
          seen.set(one, hashes);
        }
        for (const [one, hashes] of seen) {
          expect(hashes.length).toBeLessThanOrEqual(one.split('/').length);
          expect(new Set(hashes).size).toBe(hashes.length);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('save and restore', () => {
  it('resolves every path as before, in a new table', () => {
    const path = fc.webPath().map((one) => (one.startsWith('/') ? one : `/${one}`));
    fc.assert(
      fc.property(fc.array(path, { maxLength: 60 }), (paths) => {
        const table = new RouteTable();
        for (const one of [...FILL, ...paths]) ask(table, one);
        const again = new RouteTable();
        expect(again.restore(table.learned.save())).toBeNull();
        for (const one of [...paths, ...FILL, '/users/zora', '/users/zora/x']) {
          const [a, b] = [table.resolve(headOf(one)), again.resolve(headOf(one))];
          expect([b.text, b.hash]).toEqual([a.text, a.hash]);
        }
        expect(again.learned.save()).toBe(table.learned.save());
      }),
      { numRuns: 20 },
    );
  });

  it('refuses what is damaged and stays as it is', () => {
    const table = new RouteTable();
    for (const path of FILL.slice(0, 3)) ask(table, path);
    const good = table.learned.save();
    const bad = [
      '',
      'null',
      '[]',
      good.slice(0, -2),
      good.replace('"format":1', '"format":2'),
      good.replace('"prefixes":[[', '"prefixes":[["x",1],['),
      good.replace(/"prefixes":\[\[(-?\d+),\d+\]/, '"prefixes":[[$1,1000]'),
      good.replace('"/users', '"users'),
      good.replace('"/users', `"/${'u'.repeat(LIMITS.eventRouteMaxBytes)}`),
    ];
    const kept = new LearnedRoutes();
    const empty = kept.save();
    for (const text of bad) {
      expect(kept.restore(text)).toEqual(expect.any(String));
      expect(kept.save()).toBe(empty);
    }
    expect(new LearnedRoutes(2).restore(good)).toContain('more than');
  });
});
