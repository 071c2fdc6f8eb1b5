// The operator's rules: types of the policy document and its compilation for one workload.
// One rule resolves the mode: route > workload > namespace > fleet. Parsing and the schema are in policy-schema.ts.
// Called by proxy (to judge), control-plane (to answer "what mode has W?") and cli (to validate).

import { type CompiledExemption, compileExemptions, type Exemption } from './exemption.ts';
import { DEFAULT_IDENTITY_SOURCES, type IdentitySource, type JwtRules } from './identity.ts';
import { parseRoutePattern, type RoutePattern } from './route-pattern.ts';
import type { Mode, ModeSource } from './verdict.ts';

export type FailMode = 'open' | 'closed';
export type BlockAction = 'forbid' | 'throttle' | 'close';

/** What any level of the policy may say; what it leaves out is taken from the level above. */
export interface ScopeRules {
  readonly mode?: Mode | undefined;
  /** ISO time at which `mode` ends by itself; then `modeThen` holds (default monitor). */
  readonly modeUntil?: string | undefined;
  readonly modeThen?: Mode | undefined;
  /** Scores 0..1; without them the bundle's advice holds. flagAt <= blockAt. */
  readonly flagAt?: number | undefined;
  readonly blockAt?: number | undefined;
  readonly action?: BlockAction | undefined;
  /** Seconds in Retry-After of a 429. */
  readonly retryAfterSec?: number | undefined;
  /** Share of identities (0..100) that a block verdict may meet; the rest is flagged. */
  readonly rampPercent?: number | undefined;
  readonly failMode?:
    | { readonly trap?: FailMode | undefined; readonly no_bundle?: FailMode | undefined }
    | undefined;
}

/** When a request of a route is judged: at its head, or once the first bytes of its body are there too. */
export const INSPECT = ['head', 'hold-prefix'] as const;
export type Inspect = (typeof INSPECT)[number];

export interface RouteRules extends ScopeRules {
  /** `METHOD /template` or `* /template`; segments in braces match any one segment. */
  readonly route: string;
  /** Default head, but hold-prefix where there is a login field. */
  readonly inspect?: Inspect | undefined;
  /** Where a form or JSON body has the login name; dots lead into JSON objects. Its keyed hash is all that is kept. */
  readonly login?: { readonly field: string } | undefined;
}

export interface WorkloadRules extends ScopeRules {
  readonly routes?: readonly RouteRules[] | undefined;
}

export interface PolicyDocument {
  readonly fleet?: ScopeRules | undefined;
  readonly namespaces?: Readonly<Record<string, ScopeRules>> | undefined;
  /** By `workload` or `namespace/workload`; the longer name wins. */
  readonly workloads?: Readonly<Record<string, WorkloadRules>> | undefined;
  readonly exemptions?: readonly Exemption[] | undefined;
  readonly identitySources?: readonly IdentitySource[] | undefined;
  readonly jwt?: JwtRules | undefined;
}

/** Everything decided that can be decided before a request arrives. Immutable. */
export interface CompiledRule {
  readonly mode: Mode;
  readonly modeSource: ModeSource;
  readonly flagAt: number | null;
  readonly blockAt: number | null;
  /** Raw margins; +Infinity until a bundle is bound (see bindThresholds). */
  readonly flagMargin: number;
  readonly blockMargin: number;
  readonly action: BlockAction;
  readonly retryAfterSec: number;
  /** 0..10000. */
  readonly rampPermyriad: number;
  readonly failMode: { readonly trap: FailMode; readonly no_bundle: FailMode };
}

export interface CompiledRoute {
  readonly pattern: RoutePattern;
  readonly rule: CompiledRule;
  /** Wait for the first bytes of the body before judging. */
  readonly hold: boolean;
  readonly loginField: string | null;
}

export interface CompiledPolicy {
  readonly version: string;
  readonly rule: CompiledRule;
  /** For a target whose normalised form differs: the strictest mode of all rules, no exemptions. */
  readonly strictest: CompiledRule;
  readonly routes: readonly CompiledRoute[];
  readonly exemptions: readonly CompiledExemption[];
  readonly identitySources: readonly IdentitySource[];
  readonly jwt: JwtRules;
  /** When a `modeUntil` ends next; compile again then. Infinity if none. */
  readonly nextChangeMs: number;
}

export type PolicyOrigin = 'control_plane' | 'bootstrap' | 'default';

export interface CompileContext {
  readonly version: string;
  readonly origin: PolicyOrigin;
  readonly namespace: string;
  readonly workload: string;
  readonly nowMs: number;
}

const BASE = {
  action: 'forbid',
  retryAfterSec: 60,
  rampPercent: 100,
  failTrap: 'open',
  failNoBundle: 'open',
} as const;

interface Level {
  readonly source: ModeSource;
  readonly rules: ScopeRules;
}

/** The policy of a sidecar that was told nothing: monitor. */
export const DEFAULT_POLICY: PolicyDocument = {};

export function workloadRules(policy: PolicyDocument, namespace: string, workload: string): WorkloadRules {
  const byName = policy.workloads ?? {};
  return own(byName, `${namespace}/${workload}`) ?? own(byName, workload) ?? {};
}

/** Compiles a valid document for one workload at one time. Pure. */
export function compilePolicy(policy: PolicyDocument, context: CompileContext): CompiledPolicy {
  const workload = workloadRules(policy, context.namespace, context.workload);
  const levels: Level[] = [
    { source: 'workload', rules: workload },
    { source: 'namespace', rules: own(policy.namespaces ?? {}, context.namespace) ?? {} },
    { source: 'fleet', rules: policy.fleet ?? {} },
  ];
  const rule = resolve(levels, context);
  const routes = (workload.routes ?? []).map((route) => ({
    pattern: parseRoutePattern(route.route),
    rule: resolve([{ source: 'route', rules: route }, ...levels], context),
    hold: (route.inspect ?? (route.login === undefined ? 'head' : 'hold-prefix')) === 'hold-prefix',
    loginField: route.login?.field ?? null,
  }));
  const blocking = [rule, ...routes.map((route) => route.rule)].find((r) => r.mode === 'block');
  const all = [...levels.map((level) => level.rules), ...(workload.routes ?? [])];
  return {
    version: context.version,
    rule,
    strictest: rule.mode === 'block' ? rule : (blocking ?? rule),
    routes,
    exemptions: compileExemptions(policy.exemptions ?? []),
    identitySources: policy.identitySources ?? DEFAULT_IDENTITY_SOURCES,
    jwt: policy.jwt ?? {},
    nextChangeMs: Math.min(
      ...all.map((rules) => untilMs(rules)).filter((ms) => ms > context.nowMs),
      Infinity,
    ),
  };
}

/** The mode at one level: `mode` until `modeUntil`, then `modeThen`. */
function modeAt(rules: ScopeRules, nowMs: number): Mode | undefined {
  if (rules.mode === undefined || untilMs(rules) > nowMs) return rules.mode;
  return rules.modeThen ?? 'monitor';
}

function untilMs(rules: ScopeRules): number {
  return rules.modeUntil === undefined ? Infinity : Date.parse(rules.modeUntil);
}

function resolve(levels: readonly Level[], context: CompileContext): CompiledRule {
  const first = <T>(pick: (rules: ScopeRules) => T | undefined): T | undefined => {
    for (const level of levels) {
      const value = pick(level.rules);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const setter = levels.find((level) => level.rules.mode !== undefined);
  const mode = setter === undefined ? 'monitor' : (modeAt(setter.rules, context.nowMs) ?? 'monitor');
  const flagAt = first((r) => r.flagAt) ?? null;
  const blockAt = first((r) => r.blockAt) ?? null;
  return {
    mode,
    modeSource: sourceOf(setter, context.origin),
    flagAt: flagAt !== null && blockAt !== null ? Math.min(flagAt, blockAt) : flagAt,
    blockAt,
    flagMargin: Infinity,
    blockMargin: Infinity,
    action: first((r) => r.action) ?? BASE.action,
    retryAfterSec: first((r) => r.retryAfterSec) ?? BASE.retryAfterSec,
    rampPermyriad: Math.round((first((r) => r.rampPercent) ?? BASE.rampPercent) * 100),
    failMode: {
      trap: first((r) => r.failMode?.trap) ?? BASE.failTrap,
      no_bundle: first((r) => r.failMode?.no_bundle) ?? BASE.failNoBundle,
    },
  };
}

function sourceOf(setter: Level | undefined, origin: PolicyOrigin): ModeSource {
  if (origin !== 'control_plane') return origin;
  return setter === undefined ? 'default' : setter.source;
}

/** The same policy with margins for one bundle: policy scores win over the bundle's advice. */
export function bindThresholds(
  policy: CompiledPolicy,
  advice: { readonly flagAt: number; readonly blockAt: number },
): CompiledPolicy {
  const bind = (rule: CompiledRule): CompiledRule => {
    const blockAt = rule.blockAt ?? Math.max(advice.blockAt, rule.flagAt ?? 0);
    const flagAt = rule.flagAt ?? Math.min(advice.flagAt, blockAt);
    return { ...rule, flagMargin: marginOf(flagAt), blockMargin: marginOf(blockAt) };
  };
  return {
    ...policy,
    rule: bind(policy.rule),
    strictest: bind(policy.strictest),
    routes: policy.routes.map((route) => ({ ...route, rule: bind(route.rule) })),
  };
}

/** Inverse of the logistic link; 0 and 1 give the infinities. */
export function marginOf(score: number): number {
  return Math.log(score / (1 - score));
}

/** Logistic link: raw margin -> score 0..1. */
export function scoreOf(margin: number): number {
  return 1 / (1 + Math.exp(-margin));
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
