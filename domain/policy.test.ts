// The one mode rule and what surrounds it: precedence, expiry, thresholds, the strictest rule.

import { describe, expect, it } from 'vitest';
import {
  bindThresholds,
  type CompileContext,
  compilePolicy,
  marginOf,
  type PolicyDocument,
  scoreOf,
} from './policy.ts';

const CONTEXT: CompileContext = {
  version: 'v1',
  origin: 'control_plane',
  namespace: 'shop',
  workload: 'orders',
  nowMs: Date.parse('2026-01-01T00:00:00Z'),
};

function modeOf(policy: PolicyDocument, context: Partial<CompileContext> = {}) {
  const { rule } = compilePolicy(policy, { ...CONTEXT, ...context });
  return { mode: rule.mode, source: rule.modeSource };
}

describe('mode', () => {
  it('is monitor, source default, when nobody says anything', () => {
    expect(modeOf({})).toEqual({ mode: 'monitor', source: 'default' });
  });

  it('takes the most specific level that names a mode', () => {
    const policy: PolicyDocument = {
      fleet: { mode: 'block' },
      namespaces: { shop: { mode: 'monitor' } },
      workloads: { orders: { mode: 'block', routes: [{ route: 'GET /health', mode: 'monitor' }] } },
    };
    expect(modeOf(policy)).toEqual({ mode: 'block', source: 'workload' });
    expect(modeOf(policy, { workload: 'other' })).toEqual({ mode: 'monitor', source: 'namespace' });
    expect(modeOf(policy, { namespace: 'x', workload: 'other' })).toEqual({ mode: 'block', source: 'fleet' });
    const route = compilePolicy(policy, CONTEXT).routes[0];
    expect([route?.rule.mode, route?.rule.modeSource]).toEqual(['monitor', 'route']);
  });

  it('prefers namespace/workload over workload', () => {
    const policy: PolicyDocument = {
      workloads: { orders: { mode: 'block' }, 'shop/orders': { mode: 'monitor' } },
    };
    expect(modeOf(policy).mode).toBe('monitor');
    expect(modeOf(policy, { namespace: 'x' }).mode).toBe('block');
  });

  it('says bootstrap for a start-up file and default for the built-in policy', () => {
    expect(modeOf({ fleet: { mode: 'block' } }, { origin: 'bootstrap' })).toEqual({
      mode: 'block',
      source: 'bootstrap',
    });
    expect(modeOf({}, { origin: 'default' })).toEqual({ mode: 'monitor', source: 'default' });
  });

  it('ends at modeUntil and falls back to modeThen', () => {
    const policy: PolicyDocument = { fleet: { mode: 'block', modeUntil: '2026-01-01T01:00:00Z' } };
    expect(modeOf(policy).mode).toBe('block');
    expect(compilePolicy(policy, CONTEXT).nextChangeMs).toBe(Date.parse('2026-01-01T01:00:00Z'));
    const later = { nowMs: Date.parse('2026-01-01T01:00:00Z') };
    expect(modeOf(policy, later)).toEqual({ mode: 'monitor', source: 'fleet' });
    expect(compilePolicy(policy, { ...CONTEXT, ...later }).nextChangeMs).toBe(Infinity);
    const back: PolicyDocument = {
      fleet: { mode: 'monitor', modeUntil: '2026-01-01T01:00:00Z', modeThen: 'block' },
    };
    expect(modeOf(back, later).mode).toBe('block');
  });

  it('does not take inherited object keys for names', () => {
    expect(modeOf({ workloads: {} }, { workload: 'constructor' }).source).toBe('default');
  });

  it('judges odd targets by the strictest rule of the workload', () => {
    const policy: PolicyDocument = {
      workloads: { orders: { routes: [{ route: 'DELETE /o/{id}', mode: 'block' }] } },
    };
    const compiled = compilePolicy(policy, CONTEXT);
    expect([compiled.rule.mode, compiled.strictest.mode]).toEqual(['monitor', 'block']);
  });
});

describe('thresholds', () => {
  const advice = { flagAt: 0.4, blockAt: 0.8 };

  it('come from the bundle unless the policy names them', () => {
    const bound = bindThresholds(compilePolicy({ fleet: { blockAt: 0.9 } }, CONTEXT), advice);
    expect(bound.rule.flagMargin).toBe(marginOf(0.4));
    expect(bound.rule.blockMargin).toBe(marginOf(0.9));
  });

  it('never leave flag above block', () => {
    const low = bindThresholds(compilePolicy({ fleet: { blockAt: 0.2 } }, CONTEXT), advice).rule;
    expect(low.flagMargin).toBeLessThanOrEqual(low.blockMargin);
    const high = bindThresholds(compilePolicy({ fleet: { flagAt: 0.95 } }, CONTEXT), advice).rule;
    expect(high.flagMargin).toBeLessThanOrEqual(high.blockMargin);
    const mixed = compilePolicy(
      { fleet: { flagAt: 0.9 }, workloads: { orders: { blockAt: 0.5 } } },
      CONTEXT,
    ).rule;
    expect(mixed.flagAt).toBe(0.5);
  });

  it('turn scores into margins and back, ends included', () => {
    expect(scoreOf(marginOf(0.3))).toBeCloseTo(0.3, 12);
    expect([marginOf(0), marginOf(1)]).toEqual([-Infinity, Infinity]);
  });
});

it('inherits the other rules level by level', () => {
  const policy: PolicyDocument = {
    fleet: { action: 'throttle', retryAfterSec: 5, failMode: { trap: 'closed' }, rampPercent: 10 },
    workloads: { orders: { rampPercent: 25, routes: [{ route: '* /x', action: 'close' }] } },
  };
  const compiled = compilePolicy(policy, CONTEXT);
  expect(compiled.rule).toMatchObject({ action: 'throttle', retryAfterSec: 5, rampPermyriad: 2500 });
  expect(compiled.rule.failMode).toEqual({ trap: 'closed', no_bundle: 'open' });
  expect(compiled.routes[0]?.rule).toMatchObject({ action: 'close', rampPermyriad: 2500 });
});

it('holds bodies where a route asks for it, or names a login field', () => {
  const login = { field: 'user.email' };
  const routes = [
    { route: 'GET /a' },
    { route: 'POST /b', inspect: 'head' },
    { route: 'POST /c', inspect: 'hold-prefix' },
    { route: 'POST /d', login },
  ] as const;
  const compiled = compilePolicy({ workloads: { orders: { routes } } }, CONTEXT);
  expect(compiled.routes.map(({ hold, loginField }) => [hold, loginField])).toEqual([
    [false, null],
    [false, null],
    [true, null],
    [true, 'user.email'],
  ]);
});
