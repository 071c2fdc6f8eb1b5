// Edits a policy document: the mode at one scope. Pure; the document it gives is checked by the caller as any other.
// It keeps every other rule of the scope, also where an entry must be made: `namespace/workload` hides `workload`
// as a whole, so a new entry starts as a copy of what held.

import { PicketError } from '../domain/errors.ts';
import {
  compilePolicy,
  type PolicyDocument,
  type ScopeRules,
  type WorkloadRules,
  workloadRules,
} from '../domain/policy.ts';
import type { Mode, ModeSource } from '../domain/verdict.ts';
import type { Scope } from './snapshot.ts';

export interface ModeChange {
  readonly mode: Mode;
  /** The mode ends by itself then; 0 = never. */
  readonly untilMs: number;
  readonly nowMs: number;
}

export interface EffectiveMode {
  readonly mode: Mode;
  readonly modeSource: ModeSource;
}

/** Mode of a scope at a time. An open scope is judged by what its widest level says. NOT_FOUND for an undeclared route. */
export function modeOf(document: PolicyDocument, scope: Scope, nowMs: number): EffectiveMode {
  const { namespace, workload, route } = scope;
  const compiled = compilePolicy(document, {
    version: '',
    origin: 'control_plane',
    namespace,
    workload,
    nowMs,
  });
  if (route === '') return compiled.rule;
  const found = compiled.routes.find((candidate) => candidate.pattern.text === route);
  if (found !== undefined) return found.rule;
  throw undeclared(
    route,
    scope,
    compiled.routes.map((candidate) => candidate.pattern.text),
  );
}

/** Modes of the routes that a workload declares. */
export function routeModes(
  document: PolicyDocument,
  scope: Scope,
  nowMs: number,
): ReadonlyMap<string, EffectiveMode> {
  const { namespace, workload } = scope;
  const context = { version: '', origin: 'control_plane', namespace, workload, nowMs } as const;
  return new Map(compilePolicy(document, context).routes.map(({ pattern, rule }) => [pattern.text, rule]));
}

/** The document with the mode set. Throws NOT_FOUND if the route is not declared for the workload. */
export function setMode(document: PolicyDocument, scope: Scope, change: ModeChange): PolicyDocument {
  const then = change.untilMs === 0 ? undefined : modeOf(document, scope, change.nowMs).mode;
  const edit = <T extends ScopeRules>(rules: T): T => {
    const { mode: _mode, modeUntil: _until, modeThen: _then, ...rest } = rules;
    const timed =
      then === undefined ? {} : { modeUntil: new Date(change.untilMs).toISOString(), modeThen: then };
    return { ...rest, mode: change.mode, ...timed } as T;
  };
  if (scope.workload === '') {
    if (scope.namespace === '') return { ...document, fleet: edit(document.fleet ?? {}) };
    const rules = document.namespaces?.[scope.namespace] ?? {};
    return { ...document, namespaces: { ...document.namespaces, [scope.namespace]: edit(rules) } };
  }
  const workloads: Record<string, WorkloadRules> = { ...document.workloads };
  for (const [key, rules] of targets(document, scope)) {
    workloads[key] = scope.route === '' ? edit(rules) : editRoute(rules, scope.route, edit);
  }
  return { ...document, workloads };
}

function editRoute(
  rules: WorkloadRules,
  route: string,
  edit: <T extends ScopeRules>(rules: T) => T,
): WorkloadRules {
  const routes = (rules.routes ?? []).map((entry) => (entry.route === route ? edit(entry) : entry));
  return { ...rules, routes };
}

/** The entries that the scope means, with the rules they should start from. */
function targets(document: PolicyDocument, scope: Scope): [string, WorkloadRules][] {
  const { namespace, workload, route } = scope;
  const all = document.workloads ?? {};
  const found: [string, WorkloadRules][] =
    namespace === ''
      ? Object.entries(all).filter(([key]) => key === workload || key.endsWith(`/${workload}`))
      : [[`${namespace}/${workload}`, workloadRules(document, namespace, workload)]];
  if (route === '') {
    if (namespace === '' && !Object.hasOwn(all, workload)) found.push([workload, {}]);
    return found;
  }
  const declaring = found.filter(([, rules]) => rules.routes?.some((entry) => entry.route === route));
  if (declaring.length > 0) return declaring;
  throw undeclared(
    route,
    scope,
    found.flatMap(([, rules]) => (rules.routes ?? []).map((entry) => entry.route)),
  );
}

function undeclared(route: string, scope: Scope, declared: readonly string[]): PicketError {
  const list =
    declared.length === 0 ? 'it declares none' : `it declares: ${declared.slice(0, 50).join(', ')}`;
  const name = scope.workload === '' ? '(none given)' : scope.workload;
  return new PicketError(
    'NOT_FOUND',
    `the policy of workload ${name} does not declare the route "${route}"; ${list}`,
    {
      hint: 'declare it under workloads.<name>.routes with: picket ctl policy apply FILE',
    },
  );
}

/** The change in words, for the history. */
export function describeChange(scope: Scope, change: ModeChange): string {
  const parts = [
    scope.namespace === '' ? '' : `namespace ${scope.namespace}`,
    scope.workload === '' ? '' : `workload ${scope.workload}`,
    scope.route === '' ? '' : `route ${scope.route}`,
  ].filter((part) => part !== '');
  const until = change.untilMs === 0 ? '' : ` until ${new Date(change.untilMs).toISOString()}`;
  return `mode=${change.mode} for ${parts.length === 0 ? 'the fleet' : parts.join(', ')}${until}`;
}
