// The words of a judgement. Verdict = what the policy says; action = what was done; mode decides whether they meet.
// Refused = answered 403 or 429 because of a verdict; rejected = protocol.* and limit.*, which have no verdict.

export const MODES = ['monitor', 'block'] as const;
export type Mode = (typeof MODES)[number];

/** Which level of the policy set the mode. */
export const MODE_SOURCES = ['route', 'workload', 'namespace', 'fleet', 'bootstrap', 'default'] as const;
export type ModeSource = (typeof MODE_SOURCES)[number];

export const VERDICTS = ['allow', 'flag', 'block'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const ACTIONS = ['forward', 'forbid', 'throttle', 'close', 'fail_closed'] as const;
export type Action = (typeof ACTIONS)[number];

/** Why a request has no score. `none` = it was scored. */
export const UNSCORED_CAUSES = ['none', 'trap', 'no_bundle'] as const;
export type UnscoredCause = (typeof UNSCORED_CAUSES)[number];

/** Why the verdict is what it is: exactly one per verdict. */
export const VERDICT_REASONS = [
  'score.below_flag',
  'score.flag',
  'score.block',
  'score.block_outside_ramp',
  'exempt.identity',
  'exempt.address',
  'exempt.route',
  'uninspected.trap',
  'uninspected.no_bundle',
  'fail_closed.trap',
  'fail_closed.no_bundle',
] as const;
export type VerdictReason = (typeof VERDICT_REASONS)[number];

/** What an exemption matched on; `none` = no exemption. */
export type ExemptKind = 'none' | 'identity' | 'address' | 'route';
