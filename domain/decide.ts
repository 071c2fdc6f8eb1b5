// The decision: score x rule -> verdict and reason. Pure, allocates nothing, compares raw margins only.
// What is done about it (the action) is the enforcement stage's business, which exists in block mode only.

import type { CompiledRule } from './policy.ts';
import type { ExemptKind, UnscoredCause, Verdict, VerdictReason } from './verdict.ts';

export interface Decision {
  readonly verdict: Verdict;
  readonly reason: VerdictReason;
}

const BELOW: Decision = { verdict: 'allow', reason: 'score.below_flag' };
const FLAG: Decision = { verdict: 'flag', reason: 'score.flag' };
const BLOCK: Decision = { verdict: 'block', reason: 'score.block' };
const OUTSIDE_RAMP: Decision = { verdict: 'flag', reason: 'score.block_outside_ramp' };
const EXEMPT: Record<Exclude<ExemptKind, 'none'>, Decision> = {
  identity: { verdict: 'allow', reason: 'exempt.identity' },
  address: { verdict: 'allow', reason: 'exempt.address' },
  route: { verdict: 'allow', reason: 'exempt.route' },
};
const OPEN: Record<Exclude<UnscoredCause, 'none'>, Decision> = {
  trap: { verdict: 'allow', reason: 'uninspected.trap' },
  no_bundle: { verdict: 'allow', reason: 'uninspected.no_bundle' },
};
const CLOSED: Record<Exclude<UnscoredCause, 'none'>, Decision> = {
  trap: { verdict: 'block', reason: 'fail_closed.trap' },
  no_bundle: { verdict: 'block', reason: 'fail_closed.no_bundle' },
};

export interface DecideInput {
  cause: UnscoredCause;
  /** Raw margin of the verdict detector; ignored unless cause is `none`. */
  margin: number;
  exempt: ExemptKind;
  /** 0..9999, fixed per identity: an identity is inside or outside a ramp, not its single requests. */
  rampHash: number;
}

/** Verdict and its one reason. In `monitor` an unscored request is always allowed (fail open). */
export function decide(input: DecideInput, rule: CompiledRule): Decision {
  if (input.cause !== 'none') {
    const closed = rule.mode === 'block' && rule.failMode[input.cause] === 'closed';
    return closed ? CLOSED[input.cause] : OPEN[input.cause];
  }
  if (!(input.margin >= rule.flagMargin)) return BELOW;
  if (input.exempt !== 'none') return EXEMPT[input.exempt];
  if (!(input.margin >= rule.blockMargin)) return FLAG;
  return input.rampHash < rule.rampPermyriad ? BLOCK : OUTSIDE_RAMP;
}
