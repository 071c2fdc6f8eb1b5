// Who may call what: bearer tokens with roles, checked before a handler sees the call. Tokens are kept as hashes and compared
// in constant time. Without a token file (loopback only) every caller is an operator.

import { createHash, timingSafeEqual } from 'node:crypto';
import { PicketError, type Problem } from '../domain/errors.ts';

export const ROLES = ['operator', 'sidecar', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

interface Token {
  readonly role: Role;
  readonly hash: Buffer;
}

/** A caller that was let in. */
export interface Caller {
  readonly role: Role;
  /** First 8 hex digits of the token's sha256, for the history; empty without tokens. */
  readonly token: string;
}

const TOKEN_CHARS_MIN = 16;
const TOKEN = /^[\x21-\x7e]{1,1024}$/;
const LINE = /^([a-z]+):(.*)$/;

/** Reads a token file: lines `role:token`, "#" lines and empty lines are skipped. CONFIG_INVALID names every bad line. */
export function parseTokens(content: string): readonly Token[] {
  const problems: Problem[] = [];
  const tokens: Token[] = [];
  for (const [i, raw] of content.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    const role = ROLES.find((name) => name === match?.[1]);
    const token = match?.[2] ?? '';
    const field = `line ${i + 1}`;
    if (role === undefined) {
      problems.push({
        field,
        value: `${line.length} characters`,
        expected: `role:token, role one of ${ROLES.join(', ')}`,
      });
    } else if (token.length < TOKEN_CHARS_MIN || !TOKEN.test(token)) {
      const expected = `a token of ${TOKEN_CHARS_MIN} to 1024 visible ASCII characters`;
      problems.push({ field, value: `${role} with ${token.length} characters`, expected });
    } else tokens.push({ role, hash: hashOf(token) });
  }
  if (tokens.length === 0 && problems.length === 0) {
    problems.push({ field: 'token file', value: 'no token', expected: 'at least one role:token line' });
  }
  if (problems.length > 0) {
    throw new PicketError('CONFIG_INVALID', 'the token file is wrong; nothing of it was taken', {
      problems,
      hint: 'make a line with: echo "operator:$(openssl rand -hex 32)"',
    });
  }
  return tokens;
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Finds the caller of an `authorization` value. Every token is compared, whichever matches. AUTH_REQUIRED otherwise. */
export function authenticate(tokens: readonly Token[], authorization: string | undefined): Caller {
  const presented = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (presented === undefined) {
    throw new PicketError('AUTH_REQUIRED', 'no bearer token was shown', {
      hint: 'give one with --token-file FILE, or in the metadata as "authorization: Bearer TOKEN"',
    });
  }
  const hash = hashOf(presented);
  let found: Token | undefined;
  for (const token of tokens) if (timingSafeEqual(token.hash, hash)) found ??= token;
  if (found === undefined) throw new PicketError('AUTH_REQUIRED', 'the bearer token is not known here');
  return { role: found.role, token: hash.toString('hex').slice(0, 8) };
}

const SIDECAR_SERVICES = ['/picket.v1.SidecarService/', '/picket.v1.EventService/'];
const READ_METHOD = /^\/picket\.v1\.(Control|Model|Verdict)Service\/(Get|List|Watch)/;
const OPEN_PREFIX = '/grpc.health.v1.Health/';
const REFLECTION_PREFIX = '/grpc.reflection.';

/** Methods that anyone may call: the platform's health probes carry no tokens. */
export function isOpenMethod(path: string): boolean {
  return path.startsWith(OPEN_PREFIX);
}

/** May a role call a method (`/package.Service/Method`)? Operators may call everything. */
export function mayCall(role: Role, path: string): boolean {
  if (role === 'operator' || isOpenMethod(path) || path.startsWith(REFLECTION_PREFIX)) return true;
  if (role === 'sidecar') return SIDECAR_SERVICES.some((prefix) => path.startsWith(prefix));
  return READ_METHOD.test(path);
}
