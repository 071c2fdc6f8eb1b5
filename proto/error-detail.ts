// A coded error as it travels beside a gRPC status: so that `picket ctl` and the sidecar show the same code, problems and
// hint as the control plane does. Bounded, since it travels in a header. Called by control-plane (encode), cli and proxy.

import { ERROR_CATALOGUE, type ErrorCode, PicketError, type Problem } from '../domain/errors.ts';

/** Metadata key; "-bin" means bytes. */
export const ERROR_DETAIL_KEY = 'picket-error-bin';

const PROBLEMS_MAX = 20;
const TEXT_MAX_CHARS = 400;
const BYTES_MAX = 6 * 1024;

const cut = (text: string) => (text.length > TEXT_MAX_CHARS ? `${text.slice(0, TEXT_MAX_CHARS - 1)}…` : text);

/** UTF-8 JSON of at most 6 KiB; problems beyond that are left out. */
export function encodeErrorDetail(error: PicketError): Buffer {
  const problems = error.problems.slice(0, PROBLEMS_MAX).map((problem) => ({
    field: cut(problem.field),
    value: cut(problem.value),
    expected: cut(problem.expected),
    ...(problem.hint === undefined ? {} : { hint: cut(problem.hint) }),
  }));
  const hint = error.hint === undefined ? {} : { hint: cut(error.hint) };
  for (;;) {
    const detail = { code: error.code, message: cut(error.message), ...hint, problems };
    const bytes = Buffer.from(JSON.stringify(detail));
    if (bytes.length <= BYTES_MAX || problems.length === 0) return bytes;
    problems.pop();
  }
}

/** The error again; null if the bytes are not such a detail. */
export function decodeErrorDetail(bytes: Uint8Array): PicketError | null {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { code, message, hint, problems } = value as Record<string, unknown>;
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CATALOGUE, code) || typeof message !== 'string')
    return null;
  return new PicketError(code as ErrorCode, message, {
    ...(typeof hint === 'string' ? { hint } : {}),
    problems: Array.isArray(problems) ? problems.filter(isProblem) : [],
  });
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false;
  const { field, value: found, expected, hint } = value as Record<string, unknown>;
  const texts = typeof field === 'string' && typeof found === 'string' && typeof expected === 'string';
  return texts && (hint === undefined || typeof hint === 'string');
}
