// The base paths that OpenAPI `servers` name: where the templates of `paths` hang. Hosts play no part, since the sidecar stands
// before one application. Variables take their `enum`, else their default. Called by openapi.ts.

import { isRecord, type OpenApiTree, place } from './openapi-tree.ts';
import { templateProblem } from './path-template.ts';

const SERVERS_MAX = 64;
/** Of one list of servers, after variables. */
const BASES_MAX = 16;
const BASE_MAX_CHARS = 512;

/** Distinct base paths, `''` for the root; undefined if there are no servers, so that those of the level above hold. */
export function basePathsOf(tree: OpenApiTree, servers: unknown, at: string): string[] | undefined {
  if (servers === undefined || (Array.isArray(servers) && servers.length === 0)) return undefined;
  if (!Array.isArray(servers) || servers.length > SERVERS_MAX) {
    tree.problem(at, servers, `a list of at most ${SERVERS_MAX} servers`);
    return undefined;
  }
  const bases = new Set<string>();
  for (const [i, server] of (servers as unknown[]).entries()) {
    const url = isRecord(server) ? server['url'] : undefined;
    if (!isRecord(server) || typeof url !== 'string') {
      tree.problem(`${at}[${i}]`, server, 'a server with a url');
      continue;
    }
    for (const one of withVariables(tree, { url, variables: server['variables'], at: `${at}[${i}]` })) {
      const base = basePath(one);
      const wrong = base === '' ? null : templateProblem(base);
      if (base.length > BASE_MAX_CHARS || wrong !== null)
        tree.problem(`${at}[${i}].url`, one, wrong ?? `a path of at most ${BASE_MAX_CHARS} characters`);
      else bases.add(base);
    }
  }
  if (bases.size <= BASES_MAX) return [...bases];
  tree.problem(at, `${bases.size} base paths`, `at most ${BASES_MAX} base paths`);
  return [];
}

interface ServerUrl {
  readonly url: string;
  readonly variables: unknown;
  readonly at: string;
}

/** The URL with each value of its variables. Variables before the path have no say and take their default. */
function withVariables(tree: OpenApiTree, { url, variables, at }: ServerUrl): string[] {
  let urls = [url];
  for (const [, name = ''] of url.matchAll(/\{([^{}]*)\}/g)) {
    const variable = isRecord(variables) ? variables[name] : undefined;
    const values = valuesOf(variable);
    if (values.length === 0) {
      tree.problem(place(`${at}.variables`, name), variable, 'a variable with a default');
      return [];
    }
    urls = urls.flatMap((one) => values.map((value) => one.replaceAll(`{${name}}`, value)));
    urls = [...new Map(urls.map((one) => [basePath(one), one])).values()].slice(0, BASES_MAX + 1);
  }
  return urls;
}

function valuesOf(variable: unknown): string[] {
  if (!isRecord(variable)) return [];
  const listed = variable['enum'];
  const all = Array.isArray(listed) && listed.length > 0 ? (listed as unknown[]) : [variable['default']];
  return all.filter((one) => typeof one === 'string' || typeof one === 'number').map(String);
}

/** Path of an absolute or relative URL without its last slashes; a relative one counts from the root. */
function basePath(url: string): string {
  const bare = url.replace(/[?#].*$/s, '');
  const path = bare.replace(/^(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/]*/, '').replace(/^\.?\/*/, '');
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}
