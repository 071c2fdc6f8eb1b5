// The kinds of start-up options: how each is written, checked and shown. One builder per kind; a list of options is a plain
// object of them, and the type of the parsed values follows from it. Pure; files are opened by nobody here.
// Parsing of whole command lines is in options.ts.

import { type Cidr, parseAddress, parseCidr } from './cidr.ts';

/** What a reader gives for text that it cannot take: what should stand there, and how to mend it. */
export class Refused {
  readonly expected: string;
  readonly hint: string | undefined;

  constructor(expected: string, hint?: string) {
    this.expected = expected;
    this.hint = hint;
  }
}

export interface Option<T> {
  /** Word for the documentation: int, host_port, … */
  readonly kind: string;
  /** What stands for the value in help text: FILE, HOST:PORT; empty for a switch. */
  readonly placeholder: string;
  readonly help: string;
  /** Heading that it stands under in help text. */
  readonly group: string;
  readonly hidden: boolean;
  readonly required: boolean;
  /** Several values, comma separated, or a list in a file; a repeated flag adds to it. */
  readonly list: boolean;
  readonly fallback: T;
  /** The default as it would be written, empty if there is none. */
  readonly fallbackText: string;
  readonly read: (text: string) => T | Refused;
}

export interface Detail<T> {
  readonly help: string;
  readonly group?: string;
  readonly placeholder?: string;
  readonly hidden?: boolean;
  /** Missing is a problem. */
  readonly required?: boolean;
  /** Written as on the command line; read by the same reader. */
  readonly fallback?: string;
  /** A further check of a value that the kind accepts. */
  readonly check?: (value: T) => Refused | undefined;
}

/** An option that always has a value states a fallback or is required; else it may be undefined. */
type Settled<T, D> = D extends { fallback: string } | { required: true } ? Option<T> : Option<T | undefined>;

interface Kind<T> {
  readonly kind: string;
  readonly placeholder: string;
  readonly list?: boolean;
  readonly read: (text: string) => T | Refused;
}

function build<T, const D extends Detail<T>>(kind: Kind<T>, detail: D): Settled<T, D> {
  const read = (text: string): T | Refused => {
    const value = kind.read(text);
    return value instanceof Refused ? value : (detail.check?.(value) ?? value);
  };
  const fallback = detail.fallback === undefined ? undefined : read(detail.fallback);
  if (fallback instanceof Refused)
    throw new RangeError(`bad default ${detail.fallback}: ${fallback.expected}`);
  const option: Option<T | undefined> = {
    kind: kind.kind,
    placeholder: detail.placeholder ?? kind.placeholder,
    help: detail.help,
    group: detail.group ?? '',
    hidden: detail.hidden ?? false,
    required: detail.required ?? false,
    list: kind.list ?? false,
    fallback,
    fallbackText: detail.fallback ?? '',
    read,
  };
  return option as Settled<T, D>;
}

export function text<const D extends Detail<string>>(detail: D): Settled<string, D> {
  const read = (value: string): string | Refused => (value === '' ? new Refused('a text') : value);
  return build<string, D>({ kind: 'string', placeholder: 'TEXT', read }, detail);
}

/** The path of a file or folder; that it exists is found out when it is opened. */
export function file<const D extends Detail<string>>(detail: D): Settled<string, D> {
  const read = (value: string): string | Refused =>
    value === '' || value.includes('\0') ? new Refused('a path') : value;
  return build<string, D>({ kind: 'file', placeholder: 'FILE', read }, detail);
}

/** A switch: `--name`, `--no-name`, or true and false in a file or the environment. */
export function flag<const D extends Detail<boolean>>(detail: D): Settled<boolean, D & { fallback: string }> {
  const read = (value: string): boolean | Refused => {
    if (value === 'true' || value === '1') return true;
    return value === 'false' || value === '0' ? false : new Refused('true or false');
  };
  return build<boolean, D & { fallback: string }>(
    { kind: 'bool', placeholder: '', read },
    { ...detail, fallback: detail.fallback ?? 'false' },
  );
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

export function int<const D extends Detail<number>>(bounds: Bounds, detail: D): Settled<number, D> {
  const read = (value: string): number | Refused => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    const inside = number >= bounds.min && number <= bounds.max;
    return inside ? number : new Refused(`a whole number, ${bounds.min} to ${bounds.max}`);
  };
  return build<number, D>({ kind: 'int', placeholder: 'N', read }, detail);
}

export function number<const D extends Detail<number>>(bounds: Bounds, detail: D): Settled<number, D> {
  const read = (value: string): number | Refused => {
    const parsed = /^-?\d+(\.\d+)?(e-?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
    const inside = parsed >= bounds.min && parsed <= bounds.max;
    return inside ? parsed : new Refused(`a number, ${bounds.min} to ${bounds.max}`);
  };
  return build<number, D>({ kind: 'number', placeholder: 'N', read }, detail);
}

export function oneOf<const W extends string, const D extends Detail<W>>(
  words: readonly W[],
  detail: D,
): Settled<W, D> {
  const read = (value: string): W | Refused =>
    words.find((word) => word === value) ?? new Refused(`one of ${words.join(', ')}`);
  return build<W, D>({ kind: 'enum', placeholder: words.join('|'), read }, detail);
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:80`, `[::1]:80`, `name:80`; port 0 asks the system for a free one where we listen. */
export function hostPort<const D extends Detail<HostPort>>(detail: D): Settled<HostPort, D> {
  const read = (value: string): HostPort | Refused => {
    const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(value);
    const host = match?.[1] ?? match?.[2] ?? '';
    const port = Number(match?.[3]);
    const refused = new Refused('HOST:PORT', 'such as 127.0.0.1:14080 or [::1]:14080');
    if (match === null || port > 65_535) return refused;
    return match[1] !== undefined && parseAddress(host) === null ? refused : { host, port };
  };
  return build<HostPort, D>({ kind: 'host_port', placeholder: 'HOST:PORT', read }, detail);
}

/** An http origin: no user, path, query or fragment. */
export function httpOrigin<const D extends Detail<URL>>(detail: D): Settled<URL, D> {
  const read = (value: string): URL | Refused => {
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url?.protocol === 'https:')
      return new Refused('an http:// origin', 'the application is reached in plain HTTP over loopback');
    const bare =
      url !== null && url.href === `${url.origin}/` && url.protocol === 'http:' && !/[?#]/.test(value);
    return bare ? url : new Refused('http://HOST:PORT without a path', 'such as http://127.0.0.1:8080');
  };
  return build<URL, D>({ kind: 'url', placeholder: 'URL', read }, detail);
}

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `10s`, `2m`, `1h`; the value is milliseconds. */
export function duration<const D extends Detail<number>>(bounds: Bounds, detail: D): Settled<number, D> {
  const read = (value: string): number | Refused => {
    const match = /^(\d{1,9})(ms|s|m|h)$/.exec(value);
    const ms = Number(match?.[1]) * (DURATION_MS[match?.[2] ?? ''] ?? Number.NaN);
    const inside = ms >= bounds.min && ms <= bounds.max;
    return inside
      ? ms
      : new Refused(`a time of ${bounds.min} ms to ${bounds.max} ms`, 'such as 500ms, 10s, 2m, 1h');
  };
  return build<number, D>({ kind: 'duration', placeholder: 'TIME', read }, detail);
}

const SIZE_BYTES: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** `65536`, `64KiB`, `10MiB`, `1GiB`; the value is bytes. */
export function size<const D extends Detail<number>>(bounds: Bounds, detail: D): Settled<number, D> {
  const read = (value: string): number | Refused => {
    const match = /^(\d{1,15})(|KiB|MiB|GiB)$/.exec(value);
    const bytes = Number(match?.[1]) * (SIZE_BYTES[match?.[2] ?? ''] ?? Number.NaN);
    const inside = bytes >= bounds.min && bytes <= bounds.max;
    return inside
      ? bytes
      : new Refused(`${bounds.min} to ${bounds.max} bytes`, 'such as 65536, 64KiB, 10MiB');
  };
  return build<number, D>({ kind: 'size', placeholder: 'SIZE', read }, detail);
}

/** CIDR blocks or single addresses, comma separated. */
export function cidrList<const D extends Detail<readonly Cidr[]>>(detail: D): Settled<readonly Cidr[], D> {
  const read = (value: string): readonly Cidr[] | Refused => {
    const cidrs: Cidr[] = [];
    for (const part of parts(value)) {
      const cidr = parseCidr(part);
      if (cidr === null) {
        return new Refused('CIDR blocks without host bits, comma separated', `not one: ${part.slice(0, 60)}`);
      }
      cidrs.push(cidr);
    }
    return cidrs;
  };
  return build<readonly Cidr[], D>({ kind: 'cidr_list', placeholder: 'CIDR,…', list: true, read }, detail);
}

/** Words or numbers, comma separated. */
export function textList<const D extends Detail<readonly string[]>>(
  detail: D,
): Settled<readonly string[], D> {
  return build<readonly string[], D>(
    { kind: 'text_list', placeholder: 'A,B,…', list: true, read: (value) => parts(value) },
    detail,
  );
}

function parts(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
