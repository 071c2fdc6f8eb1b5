// Verdict -> action -> answer: the enforcement stage. It exists in block tails only. Refusals say `policy.blocked` and
// nothing of scores, classes or thresholds. Called by pipeline.ts.

import type { Decision } from '../domain/decide.ts';
import type { CompiledRule } from '../domain/policy.ts';
import type { RefusalCode } from '../domain/refusal.ts';
import type { Action } from '../domain/verdict.ts';
import type { Transit } from './transit.ts';

export class Block {
  readonly #rule: CompiledRule;

  constructor(rule: CompiledRule) {
    this.#rule = rule;
  }

  /** What a decision means under this rule; `forward` lets the request pass. */
  actionOf(decision: Decision): Action {
    if (decision.verdict !== 'block') return 'forward';
    if (decision.reason === 'fail_closed.trap' || decision.reason === 'fail_closed.no_bundle')
      return 'fail_closed';
    const { action } = this.#rule;
    return action === 'forbid' ? 'forbid' : action;
  }

  /** The code under which a refusal by this decision is answered and counted. */
  codeOf(decision: Decision): RefusalCode {
    const { reason } = decision;
    return reason === 'fail_closed.trap' || reason === 'fail_closed.no_bundle' ? reason : 'policy.blocked';
  }

  /** Answers the request, or ends its connection. Not for `forward`. */
  enforce(transit: Transit, action: Action, code: RefusalCode): void {
    switch (action) {
      case 'throttle':
        transit.refuse(code, { status: 429, retryAfterSec: this.#rule.retryAfterSec });
        return;
      case 'close':
        transit.refusal = code;
        transit.abort();
        return;
      default:
        transit.refuse(code);
    }
  }
}
