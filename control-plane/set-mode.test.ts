// Setting a mode changes what it should and nothing else: at every scope, for timed modes, for undeclared routes.

import { describe, expect, test } from 'vitest';
import { checkPolicy } from '../domain/policy-schema.ts';
import { describeChange, modeOf, routeModes, setMode } from './set-mode.ts';
import { FLEET, type Scope } from './snapshot.ts';

const NOW_MS = Date.parse('2026-11-22T10:00:00Z');
const block = { mode: 'block', untilMs: 0, nowMs: NOW_MS } as const;
const scope = (parts: Partial<Scope>): Scope => ({ ...FLEET, ...parts });
const DOCUMENT = checkPolicy({
  fleet: { mode: 'monitor', flagAt: 0.4 },
  namespaces: { shop: { rampPercent: 50 } },
  workloads: {
    orders: { flagAt: 0.3, routes: [{ route: 'GET /orders/{id}', blockAt: 0.9 }, { route: 'POST /orders' }] },
    'test/orders': { mode: 'monitor' },
  },
});

describe('set mode', () => {
  test('fleet and namespace keep their other rules', () => {
    const fleet = setMode(DOCUMENT, FLEET, block);
    expect(fleet.fleet).toEqual({ mode: 'block', flagAt: 0.4 });
    expect(modeOf(fleet, FLEET, NOW_MS)).toMatchObject({ mode: 'block', modeSource: 'fleet' });
    const namespace = setMode(DOCUMENT, scope({ namespace: 'shop' }), block);
    expect(namespace.namespaces).toEqual({ shop: { mode: 'block', rampPercent: 50 } });
    expect(setMode(DOCUMENT, scope({ namespace: 'new' }), block).namespaces?.['new']).toEqual({
      mode: 'block',
    });
  });

  test('a workload is set in all its entries, so that no longer name hides it', () => {
    const document = setMode(DOCUMENT, scope({ workload: 'orders' }), block);
    expect(document.workloads?.['orders']?.mode).toBe('block');
    expect(document.workloads?.['test/orders']?.mode).toBe('block');
    const fresh = setMode(DOCUMENT, scope({ workload: 'users' }), block);
    expect(fresh.workloads?.['users']).toEqual({ mode: 'block' });
  });

  test('a workload of one namespace starts from what held there', () => {
    const document = setMode(DOCUMENT, scope({ namespace: 'shop', workload: 'orders' }), block);
    expect(document.workloads?.['shop/orders']).toEqual({ ...DOCUMENT.workloads?.['orders'], mode: 'block' });
    expect(document.workloads?.['orders']).toEqual(DOCUMENT.workloads?.['orders']);
  });

  test('a declared route is set alone; an undeclared one is refused and the declared ones are named', () => {
    const route = scope({ workload: 'orders', route: 'GET /orders/{id}' });
    const document = setMode(DOCUMENT, route, block);
    expect(document.workloads?.['orders']?.routes).toEqual([
      { route: 'GET /orders/{id}', blockAt: 0.9, mode: 'block' },
      { route: 'POST /orders' },
    ]);
    expect(
      [...routeModes(document, scope({ workload: 'orders' }), NOW_MS).values()].map((m) => m.modeSource),
    ).toEqual(['route', 'fleet']);
    const unknown = scope({ workload: 'orders', route: 'GET /other' });
    expect(() => setMode(DOCUMENT, unknown, block)).toThrow(/declares: GET \/orders\/\{id\}, POST \/orders/);
    expect(() => modeOf(DOCUMENT, unknown, NOW_MS)).toThrow(/does not declare/);
  });

  test('a timed mode falls back to what held before, and a later lasting one forgets the time', () => {
    const timed = setMode(DOCUMENT, FLEET, { ...block, untilMs: NOW_MS + 1000 });
    expect(modeOf(timed, FLEET, NOW_MS).mode).toBe('block');
    expect(modeOf(timed, FLEET, NOW_MS + 1000).mode).toBe('monitor');
    const lasting = setMode(timed, FLEET, block);
    expect(lasting.fleet).toEqual({ mode: 'block', flagAt: 0.4 });
    expect(describeChange(FLEET, { ...block, untilMs: NOW_MS })).toBe(
      'mode=block for the fleet until 2026-11-22T10:00:00.000Z',
    );
  });

  test('what it gives is a valid policy', () => {
    for (const parts of [{}, { namespace: 'a' }, { workload: 'b' }, { namespace: 'a', workload: 'b' }]) {
      expect(checkPolicy(setMode(DOCUMENT, scope(parts), { ...block, untilMs: NOW_MS }))).toBeDefined();
    }
  });
});
