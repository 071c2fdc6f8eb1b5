// Who wants to log in: reads the name from the first bytes of a form or JSON body, by the field that the policy names. Looks at
// no other field and keeps nothing: what leaves here becomes a keyed hash at once. Never throws, linear in its input.
// Called by body-facts.ts, for routes with a login field.

/** Deeper JSON is not looked into. */
const DEPTH_MAX = 64;
const NAME_MAX_CHARS = 256;
const NUMBER = /-?\d[\d.eE+-]*/y;

export interface LoginBody {
  /** First bytes of the body. */
  readonly prefix: Uint8Array;
  /** The prefix is the whole body. */
  readonly whole: boolean;
  /** Content-Type as received; empty if there is none. */
  readonly contentType: string;
}

/**
 * The login name, in one form whatever way it was written: NFKC, trimmed, lower case, at most 256 characters; '' if there is
 * none.
 * @param field name of a form field; for JSON bodies dots lead into objects (`user.email`). Of several equal ones the first in
 * a form and the last in JSON counts, as most servers have it. A value that the prefix cuts off counts as none.
 */
export function loginNameOf(body: LoginBody, field: string): string {
  const type = body.contentType.toLowerCase();
  if (type.includes('multipart/')) return '';
  const text = new TextDecoder().decode(body.prefix);
  const isForm = type.includes('x-www-form-urlencoded') || !(type.includes('json') || /^\s*\{/.test(text));
  const found = isForm
    ? formValue(text, field, body.whole)
    : new JsonScan(text, body.whole).find(field.split('.'));
  return found
    .slice(0, 4 * NAME_MAX_CHARS)
    .normalize('NFKC')
    .trim()
    .toLowerCase()
    .slice(0, NAME_MAX_CHARS);
}

function formValue(text: string, field: string, whole: boolean): string {
  // The last pair may be cut in the middle of its value.
  const complete = whole ? text : text.slice(0, Math.max(0, text.lastIndexOf('&')));
  return new URLSearchParams(complete).get(field) ?? '';
}

/** Walks over JSON text without building it; what is no JSON ends the walk. */
class JsonScan {
  readonly #text: string;
  readonly #whole: boolean;
  #at = 0;
  /** Of each open container: how many segments of the path lead to it, -1 if it is off the path or an array. */
  readonly #open = new Int8Array(DEPTH_MAX);
  #depth = 0;
  #path: readonly string[] = [];
  #found = '';

  constructor(text: string, whole: boolean) {
    this.#text = text;
    this.#whole = whole;
  }

  find(path: readonly string[]): string {
    this.#path = path;
    if (path.length < DEPTH_MAX) while (this.#step());
    return this.#found;
  }

  /** One token; false at the end of what can be read. */
  #step(): boolean {
    const text = this.#text;
    const char = text[this.#at];
    if (char === undefined) return false;
    if (char === '"') return this.#member();
    this.#at++;
    if (char === '{' || char === '[') return this.#push(this.#depth === 0 && char === '{' ? 0 : -1);
    if (char === '}' || char === ']') {
      this.#depth--;
      return this.#depth > 0;
    }
    return true;
  }

  #push(led: number): boolean {
    if (this.#depth === DEPTH_MAX) return false;
    this.#open[this.#depth++] = led;
    return true;
  }

  /** A string: a value off the path, or a key and, if the path goes through it, its value. */
  #member(): boolean {
    const start = this.#at;
    if (!this.#skipString()) return false;
    const led = this.#depth === 0 ? -1 : this.#open[this.#depth - 1]!;
    if (led < 0) return true;
    const key = unquoted(this.#text.slice(start, this.#at));
    this.#skipSpace();
    // No colon: not a key, and so no JSON object.
    if (this.#text[this.#at] !== ':') return false;
    this.#at++;
    this.#skipSpace();
    const onPath = key === this.#path[led];
    if (onPath && led + 1 < this.#path.length) return this.#enter(led + 1);
    return this.#value(onPath);
  }

  /** The value of a key that the path goes through: an object to look into, or nothing that counts. */
  #enter(led: number): boolean {
    if (this.#text[this.#at] !== '{') return this.#value(false);
    this.#at++;
    return this.#push(led);
  }

  /** Takes or skips a plain value; a container is left to #step. */
  #value(wanted: boolean): boolean {
    const start = this.#at;
    if (this.#text[start] === '"') {
      if (!this.#skipString()) return false;
      if (wanted) this.#found = unquoted(this.#text.slice(start, this.#at));
      return true;
    }
    if (!wanted) return true;
    NUMBER.lastIndex = start;
    const number = NUMBER.exec(this.#text)?.[0] ?? '';
    this.#at += number.length;
    if (this.#at < this.#text.length || this.#whole) this.#found = number;
    return true;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  /** From the opening quote to behind the closing one; false if there is none. */
  #skipString(): boolean {
    const text = this.#text;
    for (let i = this.#at + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x5c) i++;
      else if (code === 0x22) {
        this.#at = i + 1;
        return true;
      }
    }
    return false;
  }
}

/** What a JSON string stands for; as it is written if it is none. */
function unquoted(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1);
  }
}
