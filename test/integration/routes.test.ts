// Routes of a running sidecar: templates of an OpenAPI document before learned ones, reload, what was learned kept over a
// restart, and files that cannot be used.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runPicket } from '../../cli/main.ts';
import { PicketError } from '../../domain/errors.ts';
import { type DeclaredPath, parseOpenApi } from '../../domain/openapi.ts';
import { WORDS_MAX } from '../../feature-engine/learned-routes.ts';
import { captured } from '../support/captured.ts';
import { startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { ask, Cleanup, runSidecar } from '../support/sidecars.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** Answers 404 below /missing, else 200. */
async function startApp(): Promise<URL> {
  const server: Server = createServer((req, res) => {
    res.statusCode = req.url?.startsWith('/missing') === true ? 404 : 200;
    res.end('an answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const SHOP = `
openapi: 3.1.0
info: {title: Shop, version: 2.0.0}
servers: [{url: https://shop.example/v2}]
paths:
  /orders/{id}: {get: {responses: {}}}
  /orders/mine: {get: {responses: {}}}
  /orders/{id}/lines/{line}.json: {get: {responses: {}}}
`;

async function plane(settings: { paths?: readonly DeclaredPath[]; learned?: string }): Promise<TestPlane> {
  const started = await startTestPlane({ upstream: await startApp(), ...settings });
  cleanup.add(() => started.close());
  return started;
}

/** The routes that the events of these requests name. */
async function routesOf(started: TestPlane, paths: readonly string[]): Promise<string[]> {
  started.events();
  for (const path of paths) await ask(`http://127.0.0.1:${started.port}${path}`);
  return started.events().map(({ route }) => route);
}

function word(n: number): string {
  return `name-${n.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)]!)}`;
}

describe('a data plane', () => {
  it("resolves by the document's templates, concrete ones first, else by learned ones", async () => {
    const started = await plane({ paths: parseOpenApi(SHOP).paths });
    const asked = ['/v2/orders/x?q=1', '/v2/orders/mine', '/v2/orders/x/lines/y.json', '/v1/orders/17'];
    expect(await routesOf(started, asked)).toEqual([
      '/v2/orders/{id}',
      '/v2/orders/mine',
      '/v2/orders/{id}/lines/{line}.json',
      '/v1/orders/{id}',
    ]);
    started.plane.setPaths([]);
    expect(await routesOf(started, ['/v2/orders/x'])).toEqual(['/v2/orders/x']);
  });

  it('learns from good answers which positions hold names, and starts with what was learned', async () => {
    const started = await plane({});
    const names = Array.from({ length: WORDS_MAX + 1 }, (_, i) => word(i));
    await routesOf(
      started,
      names.map((name) => `/missing/${name}`),
    );
    expect(await routesOf(started, ['/missing/zora'])).toEqual(['/missing/zora']);
    await routesOf(
      started,
      names.map((name) => `/users/${name}`),
    );
    expect(await routesOf(started, ['/users/zora'])).toEqual(['/users/{id}']);
    const next = await plane({ learned: started.plane.learned.save() });
    expect(await routesOf(next, ['/users/zora', `/users/${word(0)}`])).toEqual([
      '/users/{id}',
      `/users/${word(0)}`,
    ]);
  });
});

describe('picket validate', () => {
  it('knows an OpenAPI document and checks it as --openapi does', async () => {
    const [good, bad] = ['good.yaml', 'bad.yaml'].map((name) => join(cleanup.folder(), name)) as [
      string,
      string,
    ];
    writeFileSync(good, SHOP);
    writeFileSync(bad, SHOP.replace('/orders/mine', 'orders/mine'));
    const { io, out } = captured();
    expect(await runPicket(['validate', good, bad], io)).toBe(1);
    expect(out()).toContain('good. OpenAPI document: Shop 2.0.0, 3 paths, 3 operations');
    expect(out()).toContain('NOT good (openapi)');
    expect(out()).toContain('paths["orders/mine"]: found orders/mine, expected a path that begins with "/"');
  });
});

describe('a sidecar', () => {
  it('refuses to start with a bad document, naming each place', async () => {
    const openapi = join(cleanup.folder(), 'openapi.yaml');
    writeFileSync(openapi, 'openapi: 3.0.0\npaths:\n  orders: {}\n  /a: {get: 7}\n');
    const refused = await runSidecar(cleanup, ['--upstream=http://127.0.0.1:1', '--openapi', openapi]).then(
      () => null,
      (thrown: unknown) => PicketError.from(thrown),
    );
    expect(refused?.code).toBe('OPENAPI_INVALID');
    expect(refused?.problems.map(({ field }) => field)).toEqual(['paths["orders"]', 'paths["/a"].get']);
  });

  it('reads the document again at a reload; a bad one keeps what runs', async () => {
    const openapi = join(cleanup.folder(), 'openapi.yaml');
    writeFileSync(openapi, SHOP);
    const { sidecar, log } = await runSidecar(cleanup, [
      `--upstream=${await startApp()}`,
      '--openapi',
      openapi,
    ]);
    expect(log.map(({ msg }) => msg)).toContain('declared routes: Shop 2.0.0, 3 paths');
    const first = sidecar.status().openapi_version;
    expect(first).toMatch(/^file-[0-9a-f]{12}$/);
    expect(await sidecar.reload()).toContain('OpenAPI document: unchanged');
    writeFileSync(openapi, SHOP.replace('Shop', 'Store').replace('/orders/mine', '/orders/yours'));
    expect(await sidecar.reload()).toContain('OpenAPI document: now Store 2.0.0, 3 paths');
    const second = sidecar.status().openapi_version;
    expect(second).not.toBe(first);
    writeFileSync(openapi, 'openapi: 2');
    expect(await sidecar.reload()).toContain('OpenAPI document: refused, OPENAPI_INVALID');
    expect(sidecar.status().openapi_version).toBe(second);
  });

  it('keeps what it learned over a restart, and does without a damaged file', async () => {
    const upstream = `--upstream=${await startApp()}`;
    const folder = cleanup.folder();
    const file = join(folder, 'routes.state');
    const learned = (): Record<string, [number, string][]> => {
      const content = JSON.parse(readFileSync(file, 'latin1').split('\n').slice(1).join('\n')) as {
        learned: string;
      };
      return JSON.parse(content.learned) as Record<string, [number, string][]>;
    };
    const names = (): string[] => learned()['templates']!.map(([, text]) => text);
    const run = async (...paths: string[]): Promise<readonly string[]> => {
      const { sidecar, url, log } = await runSidecar(cleanup, [upstream, '--state-dir', folder]);
      for (const path of paths) await ask(url + path);
      await sidecar.stop();
      return log.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    };
    await run('/orders/17', '/health', '/missing/thing');
    expect(names().toSorted()).toEqual(['/health', '/orders/{id}']);
    await run('/orders/18', '/news');
    expect(names().toSorted()).toEqual(['/health', '/news', '/orders/{id}']);
    const bytes = readFileSync(file);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(file, bytes);
    const warnings = await run('/fresh');
    expect(warnings.filter((text) => text.includes('learned routes'))).toEqual([
      'the learned routes are not used and will be learned anew: its checksum is wrong',
    ]);
    expect(names()).toEqual(['/fresh']);
  });
});
