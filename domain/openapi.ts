// Reads an OpenAPI 3.0, 3.1 or 3.2 document (JSON or YAML) for what routes need: path templates with their base paths, methods
// and parameters. Schemas, bodies and security are passed over. Pure; throws OPENAPI_INVALID with every problem and its place.
// Called by the sidecar (--openapi) and `picket validate`; matching of paths is feature-engine/declared-routes.ts.

import { parseDocument } from 'yaml';
import { PicketError, type Problem } from './errors.ts';
import { basePathsOf } from './openapi-servers.ts';
import { isRecord, OpenApiTree, place } from './openapi-tree.ts';
import { templateProblem } from './path-template.ts';

/** As JSON: read in a tenth of a second. */
export const OPENAPI_MAX_CHARS = 8 * 1024 * 1024;
/** As YAML, whose reader takes about thirty times as long, and far more memory. */
export const OPENAPI_YAML_MAX_CHARS = 2 * 1024 * 1024;
/** Templates with their base paths. */
export const OPENAPI_PATHS_MAX = 2048;
const PARAMETERS_MAX = 128;
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'] as const;
const PARAMETER_PLACES = ['path', 'query', 'header', 'cookie'] as const;
type ParameterPlace = (typeof PARAMETER_PLACES)[number];

export interface DeclaredParameter {
  readonly name: string;
  readonly in: ParameterPlace;
  readonly required: boolean;
}

export interface DeclaredOperation {
  /** Upper case. */
  readonly method: string;
  readonly parameters: readonly DeclaredParameter[];
}

/** One template, its base path included, as in `/v1/orders/{id}`. */
export interface DeclaredPath {
  readonly text: string;
  readonly operations: readonly DeclaredOperation[];
}

export interface OpenApiRoutes {
  /** `info.title` and `info.version`, for logs. */
  readonly title: string;
  readonly paths: readonly DeclaredPath[];
  /** What was read in another way than the document may mean. */
  readonly warnings: readonly Problem[];
}

/** Parses JSON or YAML text. Throws OPENAPI_INVALID; a document is taken whole or not at all. */
export function parseOpenApi(text: string): OpenApiRoutes {
  if (text.length > OPENAPI_MAX_CHARS)
    throw tooLong(OPENAPI_MAX_CHARS, 'only servers, paths and parameters are read: leave out the rest');
  const tree = new OpenApiTree(decode(text));
  const reader = new Reader(tree);
  const routes = reader.read();
  if (tree.problems.length === 0) return routes;
  throw new PicketError('OPENAPI_INVALID', 'the OpenAPI document cannot be used', {
    problems: tree.problems,
  });
}

function tooLong(maxChars: number, hint: string): PicketError {
  return new PicketError('OPENAPI_INVALID', `the document is longer than ${maxChars} characters`, { hint });
}

/** JSON first where it looks so: many times faster. What JSON refuses, YAML reads or says where it goes wrong. */
function decode(text: string): unknown {
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // The YAML reader below names line and column.
    }
  }
  if (text.length > OPENAPI_YAML_MAX_CHARS)
    throw tooLong(OPENAPI_YAML_MAX_CHARS, `as JSON it may have ${OPENAPI_MAX_CHARS}`);
  let failure: string | undefined;
  try {
    const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true, logLevel: 'silent' });
    failure = document.errors[0]?.message;
    if (failure === undefined) return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (thrown) {
    // Nesting that is too deep for the reader, or aliases that multiply.
    failure = PicketError.from(thrown).message;
  }
  throw new PicketError('OPENAPI_INVALID', `the document is neither JSON nor YAML: ${failure}`);
}

class Reader {
  readonly #tree: OpenApiTree;
  readonly #warnings: Problem[] = [];
  /** By template with its parameters unnamed: `/a/{x}` and `/a/{y}` are one. */
  readonly #found = new Map<string, { text: string; operations: Map<string, DeclaredOperation> }>();
  readonly #renamed = new Set<string>();
  #full = false;

  constructor(tree: OpenApiTree) {
    this.#tree = tree;
  }

  read(): OpenApiRoutes {
    const tree = this.#tree;
    const { root } = tree;
    if (!isRecord(root)) {
      tree.problem('document', root, 'an OpenAPI object');
      return { title: '', paths: [], warnings: [] };
    }
    const version = root['openapi'];
    if (typeof version !== 'string' || !/^3\.[012](\.|$)/.test(version)) {
      const old = root['swagger'] === undefined ? {} : { hint: 'convert Swagger 2.0 to OpenAPI 3 first' };
      tree.problem('openapi', version ?? root['swagger'], '3.0.x, 3.1.x or 3.2.x', old.hint);
    }
    tree.checkDepth();
    const bases = basePathsOf(tree, root['servers'], 'servers') ?? [''];
    const paths = root['paths'];
    if (!isRecord(paths) || Object.keys(paths).length === 0)
      tree.problem('paths', paths, 'at least one path');
    else
      for (const [template, item] of Object.entries(paths)) {
        if (!template.startsWith('x-')) this.#readPath(template, item, bases);
      }
    const info = isRecord(root['info']) ? root['info'] : {};
    return {
      title: `${String(info['title'] ?? 'untitled')} ${String(info['version'] ?? '')}`.trim().slice(0, 200),
      paths: [...this.#found.values()].map(({ text, operations }) => ({
        text,
        operations: [...operations.values()],
      })),
      warnings: this.#warnings,
    };
  }

  #readPath(template: string, given: unknown, bases: readonly string[]): void {
    const tree = this.#tree;
    const at = `paths[${JSON.stringify(template)}]`;
    const wrong = templateProblem(template);
    if (wrong !== null) {
      tree.problem(at, template, wrong);
      return;
    }
    const item = tree.resolve(given, at);
    if (!isRecord(item)) {
      if (item !== undefined) tree.problem(at, item, 'a path item');
      return;
    }
    const itemBases = basePathsOf(tree, item['servers'], `${at}.servers`) ?? bases;
    const common = this.#parameters(item['parameters'], `${at}.parameters`);
    const declared = operationsOf(item);
    for (const base of itemBases) this.#declare(base + template, at);
    for (const [method, operation] of declared) {
      const here = place(at, method.toLowerCase());
      if (!isRecord(operation)) {
        tree.problem(here, operation, 'an operation');
        continue;
      }
      const own = this.#parameters(operation['parameters'], `${here}.parameters`);
      const parameters = merged(common, own);
      for (const base of basePathsOf(tree, operation['servers'], `${here}.servers`) ?? itemBases)
        this.#declare(base + template, at)?.set(method, { method, parameters });
    }
  }

  /** The operations of a template, which is new or was declared before; null if there are too many. */
  #declare(text: string, at: string): Map<string, DeclaredOperation> | null {
    const key = text.replace(/\{[^{}]*\}/g, '{}');
    const before = this.#found.get(key);
    if (before !== undefined) {
      if (before.text !== text && !this.#renamed.has(text)) {
        this.#renamed.add(text);
        this.#warnings.push({
          field: at,
          value: text,
          expected: 'one name for the same template',
          hint: `it is the same as ${before.text} and counted as that`,
        });
      }
      return before.operations;
    }
    if (this.#found.size >= OPENAPI_PATHS_MAX) {
      if (!this.#full)
        this.#tree.problem('paths', `more than ${OPENAPI_PATHS_MAX}`, `${OPENAPI_PATHS_MAX} paths at most`);
      this.#full = true;
      return null;
    }
    const operations = new Map<string, DeclaredOperation>();
    this.#found.set(key, { text, operations });
    return operations;
  }

  #parameters(given: unknown, at: string): DeclaredParameter[] {
    const tree = this.#tree;
    if (given === undefined) return [];
    if (!Array.isArray(given) || given.length > PARAMETERS_MAX) {
      tree.problem(at, given, `a list of at most ${PARAMETERS_MAX} parameters`);
      return [];
    }
    const out: DeclaredParameter[] = [];
    for (const [i, one] of (given as unknown[]).entries()) {
      const parameter = tree.resolve(one, `${at}[${i}]`);
      if (parameter === undefined) continue;
      const name = isRecord(parameter) ? parameter['name'] : undefined;
      const where = isRecord(parameter) ? parameter['in'] : undefined;
      const known = PARAMETER_PLACES.find((word) => word === where);
      if (isRecord(parameter) && where === 'querystring') continue;
      if (typeof name !== 'string' || name === '' || known === undefined) {
        tree.problem(
          `${at}[${i}]`,
          parameter,
          `a parameter with name and in: ${PARAMETER_PLACES.join(', ')}`,
        );
        continue;
      }
      const required = known === 'path' || (parameter as Record<string, unknown>)['required'] === true;
      out.push({ name: name.slice(0, 256), in: known, required });
    }
    return out;
  }
}

/** Method (upper case) and operation; 3.2 has further methods under `additionalOperations`. */
function operationsOf(item: Record<string, unknown>): [string, unknown][] {
  const found: [string, unknown][] = METHODS.filter((method) => item[method] !== undefined).map((method) => [
    method.toUpperCase(),
    item[method],
  ]);
  const more = item['additionalOperations'];
  return isRecord(more) ? [...found, ...Object.entries(more)] : found;
}

/** An operation's parameter replaces one of the path with the same name and place. */
function merged(
  common: readonly DeclaredParameter[],
  own: readonly DeclaredParameter[],
): DeclaredParameter[] {
  const kept = common.filter((one) => !own.some((other) => other.name === one.name && other.in === one.in));
  return [...kept, ...own];
}
