// Path templates as OpenAPI writes them: `/orders/{id}`, several parameters, and parameters inside a segment (`/{name}.{ext}`,
// `/jobs/{id}:cancel`). Taking them apart, and matching one segment. The policy's own routes (route-pattern.ts) are plainer.

const TEMPLATE_MAX_CHARS = 1024;
export const TEMPLATE_SEGMENTS_MAX = 64;
const PARAMETER = /\{([^{}]*)\}/;

/**
 * One segment: the literals around its parameters. One literal = no parameter; `['', '']` = one parameter that is the whole
 * segment; `['', '.json']` = a parameter before `.json`.
 */
export type SegmentTemplate = readonly string[];

/** What a template should be, or null if it is well formed. */
export function templateProblem(text: string): string | null {
  if (!text.startsWith('/')) return 'a path that begins with "/"';
  if (text.length > TEMPLATE_MAX_CHARS) return `at most ${TEMPLATE_MAX_CHARS} characters`;
  if (/[?#\s]/.test(text)) return 'a path without query, fragment or blanks';
  if (/[^\x21-\x7e]/.test(text)) return 'a path in ASCII; other characters as percent escapes';
  const bare = text.replace(/\{[^{}/]+\}/g, '');
  if (/[{}]/.test(bare)) return 'parameters as {name}, each inside one segment';
  return text.split('/').length - 1 > TEMPLATE_SEGMENTS_MAX
    ? `at most ${TEMPLATE_SEGMENTS_MAX} segments`
    : null;
}

/** The segments of a well formed template. */
export function segmentsOf(text: string): SegmentTemplate[] {
  return text
    .slice(1)
    .split('/')
    .map((segment) => segment.split(PARAMETER).filter((_, i) => i % 2 === 0));
}

export function isLiteral(segment: SegmentTemplate): boolean {
  return segment.length === 1;
}

/** A parameter that takes any non-empty segment. */
export function isWhole(segment: SegmentTemplate): boolean {
  return segment.length === 2 && segment[0] === '' && segment[1] === '';
}

/**
 * Does `text` fit the segment? Each parameter takes at least one character; linear in `text` times the number of literals.
 * The literals between parameters are taken at their first place, the last one at the end: if any reading fits, this one does.
 */
export function matchesSegment(segment: SegmentTemplate, text: string): boolean {
  const first = segment[0]!;
  if (segment.length === 1) return first === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (let i = 1; i < segment.length - 1; i++) {
    const found = text.indexOf(segment[i]!, at + 1);
    if (found < 0) return false;
    at = found + segment[i]!.length;
  }
  const last = segment.at(-1)!;
  return text.length - last.length > at && text.endsWith(last);
}
