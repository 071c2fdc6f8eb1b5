// POST /v1/score over real HTTP: a bundle is pushed and activated, rows of named features are scored as the reference scores
// them, wrong input is a 422 that names the field, and tokens decide who may ask. Answers keep to the served OpenAPI document.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChannelCredentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { inFolder, startIn, withControlPlane } from '../../control-plane/testing/running.ts';
import { parseOpenApi } from '../../domain/openapi.ts';
import { seededRandom } from '../../domain/random.ts';
import { errorOfCall, unaryCall } from '../../proto/client-call.ts';
import {
  ActivateModelRequest,
  ModelServiceClient,
  ModelServiceService,
} from '../../proto/gen/picket/v1/model.ts';
import { packBundle } from '../../wasm-core/host/bundle.ts';
import { scoreOf } from '../../wasm-core/host/link.ts';
import { referenceMargins } from '../../wasm-core/host/reference.ts';
import { randomEnsemble } from '../../wasm-core/testing/random-ensemble.ts';
import { verdictSpec } from '../../wasm-core/testing/test-bundle.ts';

const INPUTS = 4;

interface Scored {
  readonly bundle: string;
  readonly score: number;
  readonly class: string;
  readonly threshold: number;
  readonly shap: { margin: number; bias: number; contributions: Record<string, number> } | null;
}

type Row = readonly (number | null)[];

const DRAW = seededRandom(9);
const ROWS: readonly Row[] = Array.from({ length: 40 }, () =>
  Array.from({ length: INPUTS }, () => (DRAW.next() < 0.2 ? null : 30 * DRAW.normal())),
);

/** A model that flags about half of ROWS. */
function model(seed: number, options: { readonly covers: boolean } = { covers: true }) {
  const random = seededRandom(seed);
  const drawn = randomEnsemble(random, {
    trees: 12,
    leaves: [4, 9],
    inputs: Array.from({ length: INPUTS }, (_, i) => i),
  });
  const trees = drawn.trees.map((tree) => (options.covers ? tree : { ...tree, cover: null }));
  const ensemble = { ...drawn, trees };
  const marginOf = (row: Row) =>
    referenceMargins(
      ensemble,
      row.map((value) => value ?? Number.NaN),
    )[0]!;
  const spec = verdictSpec(ensemble, random);
  const margins = ROWS.map(marginOf).sort((a, b) => a - b);
  const middle = margins.length >> 1;
  const flagAt = scoreOf((margins[middle - 1]! + margins[middle]!) / 2);
  const thresholds = { flagAt, blockAt: flagAt, method: 'given' } as const;
  return { marginOf, bytes: packBundle({ ...spec, manifest: { ...spec.manifest, thresholds } }) };
}

function bearer(token?: string): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

/** Pushes a bundle and returns its digest; activates it when asked. */
async function push(address: string, bytes: Uint8Array, options: { activate: boolean; token?: string }) {
  const client = new ModelServiceClient(address, ChannelCredentials.createInsecure());
  const metadata = bearer(options.token);
  const digest = await new Promise<string>((resolve, reject) => {
    const stream = client.pushModel(metadata, (error: ServiceError | null, response) => {
      if (error === null) resolve(response.model!.digest);
      else reject(errorOfCall(error));
    });
    stream.write({ data: Buffer.from(bytes), actor: 'ann' });
    stream.end();
  });
  if (options.activate) {
    const request = ActivateModelRequest.fromPartial({ model: digest, actor: 'ann', waitMs: 1 });
    await unaryCall(client, ModelServiceService.activateModel, request, { metadata });
  }
  client.close();
  return digest;
}

async function ask(address: string, body: unknown, options: { query?: string; headers?: object } = {}) {
  const response = await fetch(`http://${address}/v1/score${options.query ?? ''}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...options.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, headers: response.headers, body: (await response.json()) as never };
}

const named = (values: Row) => Object.fromEntries(values.map((value, i) => [`f${i}`, value]));

async function validators(address: string) {
  const text = await (await fetch(`http://${address}/v1/openapi.json`)).text();
  const { components } = JSON.parse(text) as { components: object };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'openapi', components });
  const of = (name: string) => ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
  return { text, scored: of('Scored'), problem: of('Problem') };
}

describe('POST /v1/score', () => {
  test('scores one row or a list with the active bundle or a named one, and explains', () =>
    withControlPlane(async ({ grpcAddress, httpAddress }) => {
      const none = await ask(httpAddress, named([0, 0, 0, 0]));
      expect(none).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', status: 404 } });
      const first = model(1);
      const second = model(2);
      await push(grpcAddress, first.bytes, { activate: true });
      const other = await push(grpcAddress, second.bytes, { activate: false });
      const { scored, text } = await validators(httpAddress);
      expect(parseOpenApi(text).paths.length).toBe(2);
      const list = await ask(httpAddress, ROWS.map(named));
      expect(list.status).toBe(200);
      const results = list.body as Scored[];
      expect(results).toHaveLength(ROWS.length);
      ROWS.forEach((row, i) => {
        const result = results[i]!;
        expect(scored(result), JSON.stringify(scored.errors)).toBe(true);
        const margin = first.marginOf(row);
        expect(result.score).toBe(scoreOf(margin));
        expect(result.class).toBe(result.score >= result.threshold ? 'attack' : 'normal');
        expect(result.shap!.margin).toBe(margin);
        const parts = Object.values(result.shap!.contributions);
        const sum = parts.reduce((a, b) => a + b, result.shap!.bias);
        expect(Math.abs(sum - margin)).toBeLessThan(1e-9);
      });
      expect(new Set(results.map((result) => result.class)).size).toBe(2);
      const query = `?bundle=${other.slice(0, 12)}&explain=false`;
      const one = await ask(httpAddress, named(ROWS[0]!), { query });
      expect(one.body as Scored).toMatchObject({ score: scoreOf(second.marginOf(ROWS[0]!)), shap: null });
      const bare = await push(grpcAddress, model(3, { covers: false }).bytes, { activate: false });
      const unexplained = await ask(httpAddress, named(ROWS[0]!), { query: `?bundle=${bare.slice(0, 12)}` });
      expect(unexplained).toMatchObject({ status: 200, body: { shap: null } });
      expect(results[0]!.bundle).not.toBe((one.body as Scored).bundle);
    }));

  test('what cannot be scored is a problem that names the field', () =>
    withControlPlane(async ({ grpcAddress, httpAddress }) => {
      await push(grpcAddress, model(1).bytes, { activate: true });
      const { problem } = await validators(httpAddress);
      const good = named([1, 2, 3, null]);
      const cases: readonly [unknown, string, string][] = [
        [{ ...good, f2: 'x' }, '', 'f2'],
        [{ ...good, f2: true }, '', 'f2'],
        [JSON.stringify(good).replace('3', '1e999'), '', 'f2'],
        [{ f0: 1, f1: 2, f3: 1 }, '', 'f2'],
        [{ ...good, extra: 1 }, '', 'extra'],
        ['{"__proto__":{"f0":1},"f0":1,"f1":1,"f2":1,"f3":1}', '', '__proto__'],
        [[good, { ...good, f1: [] }], '', '[1].f1'],
        [[good, 7], '', '[1]'],
        [[], '', 'body'],
        [Array.from({ length: 1001 }, () => good), '', 'body'],
        ['{"f0":', '', 'body'],
        ['null', '', 'body'],
        [good, '?explain=maybe', '?explain'],
        [good, '?model=1', '?model'],
        [good, '?bundle=../../x', '?bundle'],
      ];
      for (const [body, query, field] of cases) {
        const refused = await ask(httpAddress, body, { query });
        expect(refused.status, `${field} of ${JSON.stringify(body).slice(0, 80)}`).toBe(422);
        expect(refused.type).toBe('application/problem+json');
        expect(problem(refused.body), JSON.stringify(problem.errors)).toBe(true);
        expect((refused.body as { errors: { field: string }[] }).errors[0]!.field).toBe(field);
      }
      const form = await ask(httpAddress, good, { headers: { 'content-type': 'text/plain' } });
      expect(form.status).toBe(415);
      expect((await ask(httpAddress, ' '.repeat(2 ** 20 + 1))).status).toBe(413);
      expect((await ask(httpAddress, good, { query: '?bundle=0123456789' })).status).toBe(404);
      const get = await fetch(`http://${httpAddress}/v1/score`);
      expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
      expect((await ask(httpAddress, good)).status).toBe(200);
    }));

  test('with a token file: operator and viewer may, sidecar and strangers may not', () =>
    inFolder(async (dir) => {
      const tokens = { operator: 'o'.repeat(32), sidecar: 's'.repeat(32), viewer: 'v'.repeat(32) };
      const path = join(dir, 'tokens');
      const entries = Object.entries(tokens).map(([role, token]) => `${role}:${token}\n`);
      writeFileSync(path, entries.join(''));
      const { grpcAddress, httpAddress, close } = await startIn(join(dir, 'data'), ['--token-file', path]);
      await push(grpcAddress, model(1).bytes, { activate: true, token: tokens.operator });
      const as = async (token: string) => {
        const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
        return (await ask(httpAddress, named([1, 2, 3, 4]), { headers })).status;
      };
      expect(await as(tokens.operator)).toBe(200);
      expect(await as(tokens.viewer)).toBe(200);
      expect(await as(tokens.sidecar)).toBe(403);
      expect(await as('x'.repeat(32))).toBe(401);
      expect(await as('')).toBe(401);
      await close();
    }));
});
