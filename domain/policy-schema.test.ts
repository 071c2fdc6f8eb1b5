// Reading policy documents: YAML and JSON, all problems at once, whole or not at all, never a crash.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PicketError } from './errors.ts';
import { checkPolicy, parsePolicy, policyJsonSchema } from './policy-schema.ts';

function problemsFor(text: string): PicketError {
  try {
    parsePolicy(text);
  } catch (thrown) {
    if (thrown instanceof PicketError) return thrown;
    throw thrown;
  }
  throw new Error(`accepted: ${text}`);
}

describe('parsePolicy', () => {
  it('reads YAML and JSON alike, and an empty file as the empty policy', () => {
    const yaml =
      'fleet:\n  mode: block\nworkloads:\n  a/b:\n' +
      '    routes:\n      - {route: "GET /x/{id}", mode: monitor}\n';
    const json =
      '{"fleet":{"mode":"block"},"workloads":{"a/b":{"routes":[{"route":"GET /x/{id}","mode":"monitor"}]}}}';
    expect(parsePolicy(yaml)).toEqual(parsePolicy(json));
    expect(parsePolicy('')).toEqual({});
  });

  it('takes inspect and login of routes only, and no login field without the body', () => {
    const routes =
      'routes: [{route: "POST /login", login: {field: username}},' +
      ' {route: "PUT /x", inspect: hold-prefix}]';
    expect(parsePolicy(`workloads: {w: {${routes}}}`).workloads?.['w']?.routes).toHaveLength(2);
    const error = problemsFor(
      'fleet: {inspect: head}\n' +
        'workloads: {w: {routes: [{route: "POST /a", inspect: head, login: {field: u}},' +
        ' {route: "POST /b", login: {field: ""}}, {route: "POST /c", inspect: body}]}}',
    );
    expect(error.problems.map((problem) => problem.field).sort()).toEqual([
      'fleet.inspect',
      'workloads.w.routes.0.inspect',
      'workloads.w.routes.1.login.field',
      'workloads.w.routes.2.inspect',
    ]);
  });

  it('lists every problem with field, value, expectation', () => {
    const error = problemsFor(
      'fleet: {mode: blok, flagAt: 2}\nnamespces: {}\nworkloads: {w: {routes: [{route: "/x"}]}}',
    );
    expect(error.code).toBe('POLICY_INVALID');
    const fields = error.problems.map((problem) => problem.field);
    expect(fields).toEqual(
      expect.arrayContaining(['fleet.mode', 'fleet.flagAt', 'namespces', 'workloads.w.routes.0.route']),
    );
    expect(error.problems.find((problem) => problem.field === 'fleet.mode')?.value).toBe('"blok"');
  });

  it.each([
    ['fleet: {flagAt: 0.9, blockAt: 0.5}', 'fleet.flagAt'],
    ['exemptions: [{id: a, reason: b, owner: c}]', 'exemptions.0'],
    ['exemptions: [{id: a, reason: b, owner: c, cidr: 10.0.0.1/8}]', 'exemptions.0.cidr'],
    ['exemptions: [{id: a, reason: b, owner: c, identity: "bearer:12"}]', 'exemptions.0.identity'],
    ['fleet: {modeUntil: tomorrow}', 'fleet.modeUntil'],
    ['identitySources: []', 'identitySources'],
    ['identitySources: [{kind: api_key}]', 'identitySources.0'],
    ['identitySources: [{kind: api_key, header: a, query: b}]', 'identitySources.0'],
    ['identitySources: [{kind: jwt_claim, claim: sub, header: a, cookie: b}]', 'identitySources.0'],
    ['identitySources: [{kind: xfcc, by: dns}]', 'identitySources.0.by'],
    ['identitySources: [{kind: bearer, survivesRefresh: true}]', 'identitySources.0.survivesRefresh'],
    ['identitySources: [{kind: passport}]', 'identitySources.0.kind'],
    ['jwt: {issuers: []}', 'jwt.issuers'],
    ['jwt: {leewaySec: 3600}', 'jwt.leewaySec'],
    ['[]', '(document)'],
  ])('refuses %s at %s', (text, field) => {
    expect(problemsFor(text).problems[0]?.field).toBe(field);
  });

  it('reads every identity source, and what tokens must say', () => {
    const text = `
identitySources:
  - {kind: client_certificate}
  - {kind: xfcc, by: subject}
  - {kind: trusted_header, header: x-auth-request-user}
  - {kind: jwt_claim, claim: client_id, header: x-goog-iap-jwt-assertion}
  - {kind: bearer}
  - {kind: api_key, query: api_key}
  - {kind: cookie, name: device, survivesRefresh: true}
  - {kind: address}
jwt: {issuers: ["https://login.test"], audiences: [orders], leewaySec: 0}`;
    expect(parsePolicy(text)).toMatchObject({
      identitySources: { length: 8 },
      jwt: { issuers: ['https://login.test'], leewaySec: 0 },
    });
  });

  it('refuses duplicate keys, aliases that explode and broken syntax', () => {
    expect(problemsFor('fleet: {mode: block}\nfleet: {mode: monitor}').code).toBe('POLICY_INVALID');
    expect(problemsFor('a: &a [1]\nb: [*a, *a]').code).toBe('POLICY_INVALID');
    expect(problemsFor('{"fleet": ').code).toBe('POLICY_INVALID');
  });

  it('answers any text with a policy or a coded error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary', maxLength: 200 })), (text) => {
        try {
          parsePolicy(text);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(PicketError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('ignores nothing that could pollute a prototype', () => {
    expect(problemsFor('{"__proto__": {"mode": "block"}, "fleet": {}}').code).toBe('POLICY_INVALID');
    expect(({} as { mode?: string }).mode).toBeUndefined();
  });
});

it('gives a JSON Schema that forbids unknown keys', () => {
  const schema = policyJsonSchema() as { additionalProperties: boolean; properties: Record<string, unknown> };
  expect(schema.additionalProperties).toBe(false);
  expect(Object.keys(schema.properties)).toContain('workloads');
  expect(checkPolicy({ fleet: {} })).toEqual({ fleet: {} });
});
