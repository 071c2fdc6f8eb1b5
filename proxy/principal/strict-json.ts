// JSON objects of which every reader makes the same: no member twice at any depth (RFC 8259 section 4 leaves open which one
// counts; RFC 7515 section 4 wants them refused), bounded depth, well-formed UTF-8. Expected failures are null, never thrown.
// Called by jwt.ts and jwk.ts.

/** Nesting that a token or key set may have; real ones have 3. */
const DEPTH_MAX = 16;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The object that the bytes hold as JSON, or null. Own members only: `__proto__` is a name like any other. */
export function parseStrictObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const text = decoder.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return isUnambiguous(text) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Own member of an object, or undefined. */
export function member(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Of text that JSON.parse took: no object has a member twice, and nothing is nested too deeply. */
function isUnambiguous(text: string): boolean {
  /** One set of names per open object, null per open array. */
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{' || char === '[') {
      if (open.length >= DEPTH_MAX) return false;
      open.push(char === '{' ? new Set() : null);
    } else if (char === '}' || char === ']') {
      open.pop();
    } else if (char === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (names !== null && names !== undefined && isName(text, end)) {
        const name = JSON.parse(text.slice(at, end)) as string;
        if (names.has(name)) return false;
        names.add(name);
      }
      at = end - 1;
    }
  }
  return true;
}

/** Place after the closing quote of the string that opens at `at`. */
function endOfString(text: string, at: number): number {
  let end = at + 1;
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

/** A string is a member's name if a colon follows it. */
function isName(text: string, end: number): boolean {
  let at = end;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at++;
  return text[at] === ':';
}
