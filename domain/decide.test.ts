// Every branch of the decision, and the rule that NaN margins never block.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecideInput, decide } from './decide.ts';
import type { CompiledRule } from './policy.ts';

const RULE: CompiledRule = {
  mode: 'block',
  modeSource: 'fleet',
  flagAt: null,
  blockAt: null,
  flagMargin: 0,
  blockMargin: 2,
  action: 'forbid',
  retryAfterSec: 60,
  rampPermyriad: 10_000,
  failMode: { trap: 'open', no_bundle: 'closed' },
};
const input = (over: Partial<DecideInput>): DecideInput => ({
  cause: 'none',
  margin: 0,
  exempt: 'none',
  rampHash: 0,
  ...over,
});

describe('decide', () => {
  it('takes both thresholds as inclusive', () => {
    expect(decide(input({ margin: -0.001 }), RULE).verdict).toBe('allow');
    expect(decide(input({ margin: 0 }), RULE)).toEqual({ verdict: 'flag', reason: 'score.flag' });
    expect(decide(input({ margin: 2 }), RULE)).toEqual({ verdict: 'block', reason: 'score.block' });
  });

  it('lets an exemption win over flag and block, and says which', () => {
    expect(decide(input({ margin: 9, exempt: 'address' }), RULE)).toEqual({
      verdict: 'allow',
      reason: 'exempt.address',
    });
    expect(decide(input({ margin: -9, exempt: 'address' }), RULE).reason).toBe('score.below_flag');
  });

  it('flags what a ramp leaves out', () => {
    const rule = { ...RULE, rampPermyriad: 100 };
    expect(decide(input({ margin: 9, rampHash: 99 }), rule).verdict).toBe('block');
    expect(decide(input({ margin: 9, rampHash: 100 }), rule)).toEqual({
      verdict: 'flag',
      reason: 'score.block_outside_ramp',
    });
  });

  it('fails open or closed per cause, but always open in monitor', () => {
    expect(decide(input({ cause: 'trap' }), RULE)).toEqual({ verdict: 'allow', reason: 'uninspected.trap' });
    expect(decide(input({ cause: 'no_bundle' }), RULE)).toEqual({
      verdict: 'block',
      reason: 'fail_closed.no_bundle',
    });
    const monitor: CompiledRule = { ...RULE, mode: 'monitor' };
    expect(decide(input({ cause: 'no_bundle' }), monitor).verdict).toBe('allow');
  });

  it('never blocks on NaN and is monotone in the margin', () => {
    expect(decide(input({ margin: Number.NaN }), RULE).verdict).toBe('allow');
    const rank = { allow: 0, flag: 1, block: 2 };
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        return (
          rank[decide(input({ margin: low }), RULE).verdict] <=
          rank[decide(input({ margin: high }), RULE).verdict]
        );
      }),
    );
  });
});
