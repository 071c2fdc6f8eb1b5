// Route templates that a policy declares: `METHOD /orders/{id}`. Only these can steer policy.
// Matching works on the raw path's segments; learned templates live in feature-engine/routes.ts.

export interface RoutePattern {
  readonly text: string;
  /** Upper-case method, or `*`. */
  readonly method: string;
  /** Literal segments; null matches any one non-empty segment. */
  readonly segments: readonly (string | null)[];
}

const ROUTE = /^(\*|[A-Z]+) (\/\S*)$/;

/** True if `text` has the form `METHOD /template`, without query, with whole-segment placeholders. */
export function isRoutePattern(text: string): boolean {
  const match = ROUTE.exec(text);
  if (match === null) return false;
  const path = match[2] ?? '';
  return (
    !/[?#]/.test(path) && path.split('/').every((segment) => !/[{}]/.test(segment) || isPlaceholder(segment))
  );
}

/** Parses a declared route; throws RangeError on text for which isRoutePattern is false. */
export function parseRoutePattern(text: string): RoutePattern {
  const match = ROUTE.exec(text);
  if (match === null || !isRoutePattern(text)) throw new RangeError(`not a route: ${text}`);
  const segments = (match[2] ?? '/').slice(1).split('/');
  return {
    text,
    method: match[1] ?? '*',
    segments: segments.map((segment) => (isPlaceholder(segment) ? null : segment)),
  };
}

/** Does a path (no query) match? Segments compare byte by byte; a placeholder needs one non-empty segment. */
export function matchesRoute(pattern: RoutePattern, method: string, path: string): boolean {
  if (pattern.method !== '*' && pattern.method !== method) return false;
  let at = 1;
  for (let i = 0; i < pattern.segments.length; i++) {
    if (at > path.length) return false;
    const slash = path.indexOf('/', at);
    const end = slash < 0 ? path.length : slash;
    const literal = pattern.segments[i];
    if (literal === null ? end === at : literal !== path.slice(at, end)) return false;
    at = end + 1;
  }
  return at === path.length + 1;
}

function isPlaceholder(segment: string): boolean {
  return /^\{[A-Za-z_][\w-]*\}$/.test(segment);
}
