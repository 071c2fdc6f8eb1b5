// Reading OpenAPI documents: versions, YAML and JSON, base paths, references, methods, parameters; problems with their places.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PicketError } from './errors.ts';
import { OPENAPI_MAX_CHARS, OPENAPI_PATHS_MAX, OPENAPI_YAML_MAX_CHARS, parseOpenApi } from './openapi.ts';
import { matchesSegment, segmentsOf, templateProblem } from './path-template.ts';

const OP = { responses: {} };

function document(rest: Record<string, unknown>): string {
  return JSON.stringify({ openapi: '3.1.0', info: { title: 'Shop', version: '7' }, ...rest });
}

function texts(rest: Record<string, unknown>): string[] {
  return parseOpenApi(document(rest)).paths.map((path) => path.text);
}

/** Code and `field: found -> expected` of what parsing throws. */
function refusal(text: string): string {
  try {
    parseOpenApi(text);
  } catch (thrown) {
    const error = PicketError.from(thrown);
    const lines = error.problems.map(({ field, value, expected }) => `${field}: ${value} -> ${expected}`);
    return [`${error.code} ${error.message}`, ...lines].join('\n');
  }
  return 'taken';
}

const YAML = `
openapi: 3.0.3
info: {title: Orders, version: 1.2.0}
servers:
  - url: https://{host}.example.com:8443/{stage}/api/
    variables:
      host: {default: eu, enum: [eu, us]}
      stage: {default: live, enum: [live, test]}
paths:
  /orders:
    parameters:
      - {name: page, in: query}
      - $ref: '#/components/parameters/trace'
    get:
      parameters: [{name: page, in: query, required: true}]
      responses: {'200': {description: ok}}
    post: {responses: {'201': {description: made}}}
  /orders/{id}/items/{item}:
    $ref: '#/components/pathItems/item'
  /health:
    servers: [{url: /}]
    get: {responses: {'200': {description: ok}}}
  x-internal: {}
components:
  parameters:
    trace: {name: X-Trace, in: header}
  pathItems:
    item:
      parameters: [{name: id, in: path, required: true}, {name: item, in: path, required: true}]
      delete: {responses: {'204': {description: gone}}}
`;

describe('parseOpenApi', () => {
  it('reads YAML: base paths of variables, references, methods, parameters', () => {
    const { title, paths, warnings } = parseOpenApi(YAML);
    expect([title, warnings]).toEqual(['Orders 1.2.0', []]);
    expect(paths.map(({ text, operations }) => [text, operations.map(({ method }) => method)])).toEqual([
      ['/live/api/orders', ['GET', 'POST']],
      ['/test/api/orders', ['GET', 'POST']],
      ['/live/api/orders/{id}/items/{item}', ['DELETE']],
      ['/test/api/orders/{id}/items/{item}', ['DELETE']],
      ['/health', ['GET']],
    ]);
    expect(paths[0]!.operations[0]!.parameters).toEqual([
      { name: 'X-Trace', in: 'header', required: false },
      { name: 'page', in: 'query', required: true },
    ]);
    expect(paths[2]!.operations[0]!.parameters.map(({ name }) => name)).toEqual(['id', 'item']);
  });

  it.each([
    [undefined, '/a'],
    [[], '/a'],
    [[{ url: '/' }], '/a'],
    [[{ url: 'https://api.example.com' }], '/a'],
    [[{ url: 'https://api.example.com/v2/?x=1#y' }], '/v2/a'],
    [[{ url: './v3' }], '/v3/a'],
    [[{ url: '//cdn.example.com/v4' }], '/v4/a'],
    [[{ url: 'v5/' }], '/v5/a'],
    [[{ url: '{root}/v6', variables: { root: { default: 'https://api.example.com' } } }], '/v6/a'],
    [
      [{ url: '{s}://api.example.com/v7', variables: { s: { enum: ['http', 'https'], default: 'https' } } }],
      '/v7/a',
    ],
  ])('servers %j put /a at %s', (servers, text) => {
    expect(texts({ servers, paths: { '/a': { get: OP } } })).toEqual([text]);
  });

  it('takes references with fields beside them, through several steps, and to other paths', () => {
    const paths = {
      '/a': { $ref: '#/paths/~1b~1%7Bx%7D', post: OP },
      '/b/{x}': { get: OP },
      '/c': { $ref: '#/components/pathItems/one' },
    };
    const components = { pathItems: { one: { $ref: '#/components/pathItems/two' }, two: { put: OP } } };
    const found = parseOpenApi(document({ paths, components })).paths;
    expect(found.map(({ text, operations }) => [text, operations.map(({ method }) => method)])).toEqual([
      ['/a', ['GET', 'POST']],
      ['/b/{x}', ['GET']],
      ['/c', ['PUT']],
    ]);
  });

  it('takes the methods of 3.2, and says which template has two names', () => {
    const text = JSON.stringify({
      openapi: '3.2.0',
      paths: {
        '/a/{x}': { query: OP, additionalOperations: { COPY: OP } },
        '/a/{y}': { get: OP },
      },
    });
    const { paths, warnings } = parseOpenApi(text);
    expect(paths).toHaveLength(1);
    expect(paths[0]!.operations.map(({ method }) => method)).toEqual(['QUERY', 'COPY', 'GET']);
    expect(warnings).toEqual([expect.objectContaining({ field: 'paths["/a/{y}"]', value: '/a/{y}' })]);
  });

  it.each([
    ['', 'document: null'],
    ['[1]', 'document: a list of 1'],
    ['openapi: 3.0.0\npaths: {a: [', 'neither JSON nor YAML'],
    ['{"openapi": "3.0.0", "paths": {"/a": [}', 'line 1, column'],
    ['openapi: 3.0.0\npaths:\n  /a: {}\n  /a: {}\n', 'line 4'],
    [JSON.stringify({ swagger: '2.0', paths: { '/a': {} } }), 'openapi: 2.0 -> 3.0.x'],
    [JSON.stringify({ openapi: '4.0.0', paths: { '/a': {} } }), 'openapi: 4.0.0'],
    [document({}), 'paths: nothing -> at least one path'],
    [document({ paths: { a: {} } }), 'paths["a"]: a -> a path that begins with "/"'],
    [document({ paths: { '/a/{x': {} } }), 'paths["/a/{x"]: /a/{x -> parameters as {name}'],
    [document({ paths: { '/a': 7 } }), 'paths["/a"]: 7 -> a path item'],
    [document({ paths: { '/a': { get: true } } }), 'paths["/a"].get: true -> an operation'],
    [
      document({ paths: { '/a': { get: { parameters: [{ name: 'x' }] } } } }),
      'paths["/a"].get.parameters[0]: an object',
    ],
    [document({ paths: { '/a': { $ref: 'b.yaml' } } }), 'paths["/a"].$ref: b.yaml -> a reference inside'],
    [document({ paths: { '/a': { $ref: '#/x/y' } } }), 'paths["/a"].$ref: #/x/y -> a reference to something'],
    [document({ paths: { '/a': { $ref: '#/paths/~1a' } } }), 'a circle'],
    [
      document({ servers: [{}], paths: { '/a': {} } }),
      'servers[0]: an object with nothing -> a server with a url',
    ],
    [document({ servers: [{ url: '/{v}' }], paths: { '/a': {} } }), 'servers[0].variables.v: nothing'],
  ])('refuses %j', (text, words) => {
    expect(refusal(text)).toContain('OPENAPI_INVALID');
    expect(refusal(text)).toContain(words);
  });

  it('is bounded in size, depth and number of paths, and says so', () => {
    expect(refusal(' '.repeat(OPENAPI_MAX_CHARS + 1))).toContain(`longer than ${OPENAPI_MAX_CHARS}`);
    expect(refusal(' '.repeat(OPENAPI_YAML_MAX_CHARS + 1))).toContain(
      `longer than ${OPENAPI_YAML_MAX_CHARS}`,
    );
    const paths = Object.fromEntries(Array.from({ length: OPENAPI_PATHS_MAX + 5 }, (_, i) => [`/p${i}`, {}]));
    expect(refusal(document({ paths }))).toContain(`more than ${OPENAPI_PATHS_MAX}`);
    const deep = `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`;
    expect(refusal(document({ paths: { '/a': { 'x-deep': JSON.parse(deep) as unknown } } }))).toContain(
      'deeper',
    );
    expect(refusal(`openapi: 3.0.0\nx: ${'['.repeat(50_000)}`)).toContain('OPENAPI_INVALID');
    const bomb = Array.from({ length: 9 }, (_, i) => `x${i + 1}: &x${i + 1} [${`*x${i},`.repeat(9)}]`).join(
      '\n',
    );
    expect(refusal(`openapi: 3.0.0\nx0: &x0 [1]\n${bomb}\npaths: {/a: {}}`)).toContain('OPENAPI_INVALID');
  });

  it('throws nothing but OPENAPI_INVALID, whatever the document is', () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.boolean());
    const key = fc.oneof(
      fc.constantFrom(
        'paths',
        'servers',
        'get',
        'parameters',
        '$ref',
        'url',
        'variables',
        '/a/{x}',
        '#/paths',
      ),
      fc.string(),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value')), fc.dictionary(key, tie('value'))),
    }));
    fc.assert(
      fc.property(value, value, (paths, servers) => {
        const outcome = refusal(JSON.stringify({ openapi: '3.1.0', paths, servers }));
        expect(outcome === 'taken' || outcome.startsWith('OPENAPI_INVALID')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('path templates', () => {
  it.each([
    ['/{name}.{ext}', 'a.b.txt', true],
    ['/{name}.{ext}', '.txt', false],
    ['/{name}.{ext}', 'a.', false],
    ['/{id}:cancel', '7:cancel', true],
    ['/{id}:cancel', ':cancel', false],
    ['/v{n}', 'v', false],
    ['/v{n}', 'v12', true],
    ['/{a}-{b}-{c}', 'x--y-z', true],
    ['/{a}-{b}-{c}', 'x-y', false],
    ['/{a}{b}', 'x', false],
    ['/{a}{b}', 'xy', true],
    ['/{a}', '', false],
  ])('%s takes %s: %s', (template, text, fits) => {
    expect(templateProblem(template)).toBeNull();
    expect(matchesSegment(segmentsOf(template)[0]!, text)).toBe(fits);
  });

  it('fits exactly what the same regular expression fits', () => {
    const literal = fc.stringMatching(/^[ab]{0,2}$/);
    fc.assert(
      fc.property(
        fc.array(literal, { minLength: 1, maxLength: 4 }),
        fc.stringMatching(/^[ab]{0,8}$/),
        (parts, text) => {
          expect(matchesSegment(parts, text)).toBe(new RegExp(`^${parts.join('.+')}$`).test(text));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
