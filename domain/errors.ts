// Coded errors: one class, one closed catalogue. An error says what is wrong, where, and how to mend it.
// Expected failures of parsers are returned as Problem lists; PicketError is thrown for what stops an action.
// docs/errors.md is generated from ERROR_CATALOGUE; a test keeps both equal.

export const ERROR_CATALOGUE = {
  CONFIG_INVALID: 'a start-up setting is missing, unknown or out of range',
  POLICY_INVALID: 'a policy document breaks its schema',
  OPENAPI_INVALID: 'an OpenAPI document cannot be read, or breaks a rule that routes depend on',
  POLICY_VERSION_CONFLICT: 'the policy changed since the version that the caller expected',
  BUNDLE_CORRUPT: 'a model bundle is damaged: length, magic, checksum, digest or section table',
  BUNDLE_UNSUPPORTED: 'a model bundle needs a newer runtime, or has an unknown critical section',
  BUNDLE_UNSIGNED: 'a model bundle carries no signature and signing is required',
  BUNDLE_SIGNATURE: 'the signature of a model bundle is wrong or its key is not trusted',
  BUNDLE_MODEL: 'the trees of a model bundle are not well formed',
  BUNDLE_FEATURES: 'a model bundle asks for features that this sidecar does not offer',
  BUNDLE_SELF_TEST: 'a model bundle fails its own golden vectors',
  BUNDLE_TOO_LARGE: 'a model bundle is over a size or memory limit',
  CORE_TRAP: 'the scoring core trapped; its instance is replaced',
  DATA_INVALID: 'a data file cannot be read as what it should be',
  TRAINING_INVALID: 'training data or options cannot give a model',
  MEMORY_PLAN: 'the memory plan is above the limit',
  LISTEN_REFUSED: 'a listener would be reachable without protection, or its address is taken',
  AUTH_REQUIRED: 'a bearer token is missing or wrong',
  STORE_FAILED: 'the event store failed',
  NOT_FOUND: 'no such thing',
  UNREACHABLE: 'the other side cannot be reached',
  INTERNAL: 'a bug in Picket',
} as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** One thing wrong with one field of a document: what stands there, what should, how to mend it. */
export interface Problem {
  readonly field: string;
  readonly value: string;
  readonly expected: string;
  readonly hint?: string;
}

export interface ErrorDetail {
  readonly hint?: string;
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
}

export class PicketError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? {} : { cause: detail.cause });
    this.name = 'PicketError';
    this.code = code;
    this.hint = detail.hint;
    this.problems = detail.problems ?? [];
  }

  /** Turns whatever was thrown into a PicketError; the original stays as cause. */
  static from(thrown: unknown, code: ErrorCode = 'INTERNAL'): PicketError {
    if (thrown instanceof PicketError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new PicketError(code, message, { cause: thrown });
  }
}

/** Several lines for a terminal: message, one line a problem, the hint. */
export function describeError(error: PicketError): string {
  const lines = [`${error.code}: ${error.message}`];
  for (const problem of error.problems) {
    const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
    lines.push(`  ${problem.field}: found ${problem.value}, expected ${problem.expected}${hint}`);
  }
  if (error.hint !== undefined) lines.push(`Hint: ${error.hint}`);
  return lines.join('\n');
}
