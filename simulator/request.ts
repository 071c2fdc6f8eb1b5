// The words of simulated traffic: who sends (Client), what one step of a persona is, and the labelled request that comes of it.
// Pure types and small pure functions. Used by personas, the schedule, the live sender and offline runs.

/** Attack names as labels, results and docs spell them. */
export const ATTACKS = [
  'dos',
  'ddos',
  'stolen_token',
  'abnormal_usage',
  'extreme_delete',
  'scraping',
  'low_slow',
  'bola',
  'stuffing',
] as const;
export type AttackName = (typeof ATTACKS)[number];
export type Label = 'normal' | AttackName;

/** Whose connection it looks like: decides the header set. */
export type ClientKind = 'browser' | 'app' | 'script';

export interface Client {
  readonly kind: ClientKind;
  /** Client address as X-Forwarded-For carries it. */
  readonly address: string;
  readonly agent: string;
  /** Bearer token, or null for an anonymous caller. */
  readonly token: string | null;
  readonly cookie: string | null;
}

/** What a persona does next. */
export interface Step {
  /** Virtual time since its previous request, >= 0. */
  readonly afterMs: number;
  readonly client: Client;
  readonly method: string;
  /** Origin-form target. */
  readonly target: string;
  readonly body?: string;
  /** Sends If-None-Match. */
  readonly conditional?: boolean;
}

/** What the sample API answers. */
export interface Answer {
  readonly status: number;
  readonly bodyBytes: number;
  readonly latencyMs: number;
}

/** One behaviour: yields steps, is told the answer to each. */
export type Persona = Generator<Step, void, Answer>;

/** One persona in a run. */
export interface Actor {
  /** Letters, digits and "_" only: it becomes part of the request id. */
  readonly id: string;
  readonly label: Label;
  /** When its first step counts from, ms since the epoch (virtual). */
  readonly startMs: number;
  /** It stops at this time. */
  readonly endMs: number;
  readonly persona: Persona;
}

export interface SimRequest {
  readonly atMs: number;
  readonly label: Label;
  readonly actor: string;
  /** 1 for the actor's first request. */
  readonly nth: number;
  readonly method: string;
  readonly target: string;
  /** Without Host, Content-Length, X-Forwarded-For and X-Request-Id, which the sender adds. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | null;
  readonly address: string;
  readonly token: string | null;
  readonly cookie: string | null;
  /** What the sample API answers to it; offline runs take it as the outcome. */
  readonly answer: Answer;
}

const REQUEST_ID_BYTES = 44;

/**
 * `sim-<label>-<actor>-<n>`, n padded with zeros so that every id has the same length: its size must not tell
 * normal from attack.
 */
export function requestIdOf(request: Pick<SimRequest, 'label' | 'actor' | 'nth'>): string {
  const head = `sim-${request.label}-${request.actor}-`;
  return head + String(request.nth).padStart(REQUEST_ID_BYTES - head.length, '0');
}

export interface RequestIdParts {
  readonly label: Label;
  readonly actor: string;
  readonly nth: number;
}

/** Reads an id made by requestIdOf; null for any other text. */
export function parseRequestId(id: string): RequestIdParts | null {
  const match = /^sim-([a-z_]+)-(\w+)-(\d+)$/.exec(id);
  if (match === null) return null;
  const label = match[1] as string;
  if (label !== 'normal' && !ATTACKS.includes(label as AttackName)) return null;
  return { label: label as Label, actor: match[2] as string, nth: Number(match[3]) };
}

/** Header fields in the order that this kind of client sends them. Attackers share it with users. */
export function headersOf(step: Step): (readonly [string, string])[] {
  const { client } = step;
  const fields: (readonly [string, string])[] = [['user-agent', client.agent]];
  if (client.kind === 'browser') {
    fields.push(['accept', client.token === null ? 'text/html,*/*;q=0.8' : 'application/json']);
    fields.push(['accept-language', 'en-GB,en;q=0.7'], ['accept-encoding', 'gzip, deflate, br']);
  } else if (client.kind === 'app') fields.push(['accept', 'application/json'], ['accept-encoding', 'gzip']);
  else fields.push(['accept', '*/*']);
  if (client.token !== null) fields.push(['authorization', `Bearer ${client.token}`]);
  if (client.cookie !== null) fields.push(['cookie', `JSESSIONID=${client.cookie}`]);
  if (step.conditional === true) fields.push(['if-none-match', '"1"']);
  if (step.body !== undefined) fields.push(['content-type', 'application/json']);
  return fields;
}
