// Reads a policy document: YAML or JSON text -> PolicyDocument, or every problem at once.
// The schema is the one source: JSON Schema for editors and the chart is derived from it. Unknown keys are refused.

import { parseDocument } from 'yaml';
import { z } from 'zod';
import { parseCidr } from './cidr.ts';
import { PicketError, type Problem } from './errors.ts';
import { IDENTITY_KINDS, XFCC_PARTS } from './identity.ts';
import { INSPECT, type PolicyDocument } from './policy.ts';
import { isRoutePattern } from './route-pattern.ts';
import { MODES } from './verdict.ts';

export const POLICY_MAX_CHARS = 1024 * 1024;

const time = z.iso
  .datetime({ offset: true })
  .describe('ISO 8601 time with zone, such as 2026-11-22T18:00:00Z');
const score = z.number().min(0).max(1).describe('a score, 0..1');
const fail = z.enum(['open', 'closed']);
const header = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)
  .describe('a header field name');

const scopeShape = {
  mode: z.enum(MODES).optional(),
  modeUntil: time.optional(),
  modeThen: z.enum(MODES).optional(),
  flagAt: score.optional(),
  blockAt: score.optional(),
  action: z.enum(['forbid', 'throttle', 'close']).optional(),
  retryAfterSec: z.number().int().min(1).max(86_400).optional(),
  rampPercent: z.number().min(0).max(100).optional(),
  failMode: z.strictObject({ trap: fail.optional(), no_bundle: fail.optional() }).optional(),
};

interface Thresholds {
  flagAt?: number | undefined;
  blockAt?: number | undefined;
}

function ordered(rules: Thresholds): boolean {
  return rules.flagAt === undefined || rules.blockAt === undefined || rules.flagAt <= rules.blockAt;
}

const ORDER = { error: 'flagAt at or below blockAt', path: ['flagAt'] };
const scope = z.strictObject(scopeShape).refine(ordered, ORDER);
const routeText = z
  .string()
  .max(1024)
  .refine(isRoutePattern, { error: '"METHOD /template" such as "GET /orders/{id}" or "* /orders/{id}"' });
const login = z.strictObject({
  field: z.string().min(1).max(128).describe('form field, or JSON member with dots between the levels'),
});
const route = z
  .strictObject({
    route: routeText,
    ...scopeShape,
    inspect: z
      .enum(INSPECT)
      .optional()
      .describe('head: judged at once; hold-prefix: when the first bytes of the body are there'),
    login: login.optional().describe('whose login it is; the body must be held for it'),
  })
  .refine(ordered, ORDER)
  .refine((rules) => rules.login === undefined || rules.inspect !== 'head', {
    error: 'hold-prefix, since there is a login field',
    path: ['inspect'],
  });
const workload = z
  .strictObject({ ...scopeShape, routes: z.array(route).max(1024).optional() })
  .refine(ordered, ORDER);
const identityText = new RegExp(`^(${IDENTITY_KINDS.join('|')}):[0-9a-f]{32}$`);
const exemption = z
  .strictObject({
    id: z.string().min(1).max(128),
    reason: z.string().min(1).max(1024),
    owner: z.string().min(1).max(256),
    expires: time.optional(),
    identity: z.string().regex(identityText).optional(),
    cidr: z
      .string()
      .refine((text) => parseCidr(text) !== null, {
        error: 'a CIDR block such as 10.0.0.0/8 with no host bits set',
      })
      .optional(),
    route: routeText.optional(),
  })
  .refine((e) => [e.identity, e.cidr, e.route].filter((part) => part !== undefined).length === 1, {
    error: 'exactly one of identity, cidr, route',
  });
const claim = z.string().min(1).max(128).describe('a claim of the token, such as sub or client_id');
const query = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,128}$/)
  .describe('a query parameter');
const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bearer') }),
  z
    .strictObject({
      kind: z.literal('jwt_claim'),
      claim,
      header: header.optional(),
      cookie: header.optional(),
    })
    .refine((s) => s.header === undefined || s.cookie === undefined, { error: 'header or cookie, not both' }),
  z
    .strictObject({ kind: z.literal('api_key'), header: header.optional(), query: query.optional() })
    .refine((s) => (s.header === undefined) !== (s.query === undefined), {
      error: 'exactly one of header, query',
    }),
  z.strictObject({ kind: z.literal('cookie'), name: header, survivesRefresh: z.boolean().optional() }),
  z.strictObject({ kind: z.literal('client_certificate') }),
  z.strictObject({ kind: z.literal('xfcc'), by: z.enum(XFCC_PARTS).optional() }),
  z.strictObject({ kind: z.literal('trusted_header'), header }),
  z.strictObject({ kind: z.literal('address') }),
]);
const names = z.array(z.string().min(1).max(1024)).min(1).max(64);
const jwt = z.strictObject({
  issuers: names.optional().describe('accepted iss of a token'),
  audiences: names.optional().describe('one of them must be in aud'),
  leewaySec: z.number().int().min(0).max(300).optional().describe('tolerance for exp and nbf, seconds'),
});

export const policySchema = z.strictObject({
  fleet: scope.optional(),
  namespaces: z.record(z.string().max(253), scope).optional(),
  workloads: z.record(z.string().max(507), workload).optional(),
  exemptions: z.array(exemption).max(4096).optional(),
  identitySources: z.array(source).min(1).max(16).optional(),
  jwt: jwt.optional(),
});

/** JSON Schema (draft 2020-12) of a policy document. */
export function policyJsonSchema(): unknown {
  return z.toJSONSchema(policySchema, { unrepresentable: 'any' });
}

/** Parses YAML or JSON text. Throws POLICY_INVALID with all problems; the document is taken whole or not at all. */
export function parsePolicy(text: string): PolicyDocument {
  if (text.length > POLICY_MAX_CHARS) {
    throw new PicketError('POLICY_INVALID', `the policy is longer than ${POLICY_MAX_CHARS} characters`);
  }
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const syntax = document.errors[0];
  if (syntax !== undefined) {
    throw new PicketError('POLICY_INVALID', `the policy is neither YAML nor JSON: ${syntax.message}`);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch (thrown) {
    throw new PicketError('POLICY_INVALID', `the policy cannot be read: ${PicketError.from(thrown).message}`);
  }
  return checkPolicy(value ?? {});
}

/** Checks an already decoded document. */
export function checkPolicy(value: unknown): PolicyDocument {
  const result = policySchema.safeParse(value);
  if (result.success) return result.data;
  throw new PicketError('POLICY_INVALID', 'the policy breaks its schema; nothing of it was taken', {
    problems: problemsOf(result.error, value),
    hint: 'try it with: npx picket validate FILE',
  });
}

/** One problem for each issue that zod found, with the value that stands there. Shared by config parsing. */
export function problemsOf(error: z.ZodError, root: unknown): Problem[] {
  return error.issues.map((issue) => {
    const unknownKeys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const path = [...issue.path, ...unknownKeys.slice(0, 1)].map(String);
    return {
      field: path.join('.') || '(document)',
      value: shown(
        path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], root),
      ),
      expected: unknownKeys.length > 0 ? 'no such key' : issue.message,
      ...(unknownKeys.length > 0 ? { hint: 'check the spelling; unknown keys are refused' } : {}),
    };
  });
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
