// The two ways a request can end up after its route is known, compiled once per policy swap. A monitor tail has no member
// that can write a response: in monitor mode the enforcement stage does not exist, it is not switched off.
// Routes and the workload each hold one tail; a request keeps the tail that it was judged by.

import type { CompiledPolicy, CompiledRule } from '../domain/policy.ts';
import type { Verdict } from '../domain/verdict.ts';
import { Block } from './act.ts';
import { verdictPlace } from './counters.ts';

interface CommonTail {
  readonly rule: CompiledRule;
  /** Counter place of each verdict in this mode. */
  readonly verdictPlaces: Readonly<Record<Verdict, number>>;
}

export interface MonitorTail extends CommonTail {
  readonly mode: 'monitor';
}

export interface BlockTail extends CommonTail {
  readonly mode: 'block';
  readonly enforcement: Block;
}

export type Tail = MonitorTail | BlockTail;

export interface Tails {
  readonly workload: Tail;
  /** For targets whose normalised form differs. */
  readonly strictest: Tail;
  /** By index of the policy's routes. */
  readonly routes: readonly Tail[];
}

export function compileTails(policy: CompiledPolicy): Tails {
  return {
    workload: tailOf(policy.rule),
    strictest: tailOf(policy.strictest),
    routes: policy.routes.map((route) => tailOf(route.rule)),
  };
}

function tailOf(rule: CompiledRule): Tail {
  const verdictPlaces = {
    allow: verdictPlace('allow', rule.mode),
    flag: verdictPlace('flag', rule.mode),
    block: verdictPlace('block', rule.mode),
  };
  return rule.mode === 'monitor'
    ? { mode: 'monitor', rule, verdictPlaces }
    : { mode: 'block', rule, verdictPlaces, enforcement: new Block(rule) };
}
