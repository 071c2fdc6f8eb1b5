// Raw head -> what is judged (HeadView) and what is forwarded (RequestHead), in one pass over the field lines, or a refusal.
// Reads only rawHeaders and the raw target, never req.headers: both sides see the same bytes (life-of-a-request.md).
// Does not add Picket's own fields (forward/own-fields.ts) and answers nothing. Called by pipeline.ts.

import type { HeadView } from '../domain/head-view.ts';
import { LIMITS } from '../domain/limits.ts';
import { connectionNames, FIELD, fieldKind, isCleanConnection } from './head-fields.ts';
import {
  checkTargetChars,
  checkTransferEncoding,
  checkVersion,
  type HeadRefusal,
  isHost,
  normalAuthority,
  readContentLength,
  readOtherTarget,
  refusal,
} from './head-rules.ts';

/** What a parser gives: Node's IncomingMessage has this shape. */
export interface RawHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly rawHeaders: readonly string[];
}

/** The part of a head that outlives its judgement: what is forwarded, and what the answer must know. */
export class RequestHead {
  method = '';
  /** Origin-form. */
  target = '';
  http10 = false;
  /** As received; empty for a 1.0 request without one. */
  host = '';
  /** End-to-end fields as received, name and value in turn; without host and content-length. */
  fields: string[] = [];
  /** Content-Length, or NaN. */
  contentLength = Number.NaN;
  chunked = false;
  expectsContinue = false;
  /** Accepted, but not exactly as it came. */
  normalised = false;
  /** Max-Forwards of an OPTIONS request, or -1. */
  maxForwards = -1;
  requestId = '';
  forwardedFor = '';
  forwardedProto = '';
  forwardedHost = '';
  realIp = '';
  forwarded = '';

  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }
}

/** Framing lines of one head while they are read. */
class Framing {
  transferEncoding = '';
  hosts = 0;
  lengths = 0;
  upgrades = 0;
  named: Set<string> | null = null;
}

/** One per data plane; its view and kinds hold the last head that was read. */
export class HeadReader {
  view: HeadView;
  /** Kind of each field line of the last head. */
  readonly kinds = new Uint8Array(LIMITS.fieldsMax);
  /** Names that Connection listed in the last head: not forwarded. */
  named: Set<string> | null = null;

  constructor(view: HeadView) {
    this.view = view;
  }

  /** Fills `out` and the view; answers a refusal if the head must not be judged. `upgrade`: a WebSocket handshake. */
  read(raw: RawHead, out: RequestHead, upgrade: boolean): HeadRefusal | null {
    const target = raw.url ?? '';
    const problem = checkVersion(raw.httpVersionMajor, raw.httpVersionMinor) ?? checkSizes(raw, target);
    if (problem !== null) return problem;
    out.method = raw.method ?? '';
    out.http10 = raw.httpVersionMinor === 0;
    if (out.method === 'TRACE') return refusal('protocol.trace');
    if (out.method === 'CONNECT') return refusal('protocol.connect');
    const badChars = checkTargetChars(target);
    if (badChars !== null) return badChars;
    const other = target.charCodeAt(0) === 0x2f ? null : readOtherTarget(out.method, target);
    if (other !== null && 'code' in other) return other;
    out.target = other === null ? target : other.origin;
    out.normalised = other !== null;
    if (!this.view.begin(out.method, out.target)) return refusal('limit.target');
    const framing = new Framing();
    const bad = this.#fields(raw.rawHeaders, out, framing) ?? checkHost(out, framing.hosts);
    if (bad !== null) return bad;
    if (other !== null && normalAuthority(out.host, other.scheme) !== other.authority) {
      return refusal('protocol.authority_conflict');
    }
    const unframed = checkFraming(out, framing);
    if (unframed !== null) return unframed;
    if (upgrade && out.hasBody) return refusal('protocol.upgrade_body');
    if (upgrade) out.contentLength = Number.NaN;
    else if (framing.upgrades > 0) out.normalised = true;
    this.view.contentLength = out.contentLength;
    this.named = framing.named;
    if (framing.named !== null) removeNamed(out, framing.named);
    return null;
  }

  #fields(raw: readonly string[], out: RequestHead, framing: Framing): HeadRefusal | null {
    const { view, kinds } = this;
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i] as string;
      const value = raw[i + 1] as string;
      const kind = fieldKind(name);
      const index = view.add(name, value);
      if (index < 0) return refusal('limit.head');
      kinds[index] = kind;
      if (kind === FIELD.PLAIN || kind === FIELD.COOKIE || kind === FIELD.AUTHORIZATION) {
        out.fields.push(name, value);
      } else if (kind === FIELD.USER_AGENT) {
        if (view.userAgentField < 0) view.userAgentField = index;
        out.fields.push(name, value);
      } else if (kind === FIELD.HOST) {
        framing.hosts++;
        out.host = value;
      } else {
        const problem = special(kind, value, out, framing) ?? managed(kind, name, value, out);
        if (problem !== null) return problem;
      }
    }
    return null;
  }
}

/** Sizes of RFC 9112 section 3 and RFC 6585 section 5. */
function checkSizes(raw: RawHead, target: string): HeadRefusal | null {
  const fields = raw.rawHeaders;
  if (target.length > LIMITS.targetMaxBytes) return refusal('limit.target');
  if (fields.length > 2 * LIMITS.fieldsMax) return refusal('limit.fields');
  let bytes = target.length + 20;
  for (let i = 0; i < fields.length; i++) bytes += (fields[i] as string).length + 2;
  return bytes > LIMITS.headMaxBytes ? refusal('limit.head') : null;
}

function checkHost(out: RequestHead, hosts: number): HeadRefusal | null {
  if (hosts > 1) return refusal('protocol.host_duplicate');
  if (hosts === 0) {
    if (!out.http10) return refusal('protocol.host_missing');
    out.normalised = true;
    return null;
  }
  return isHost(out.host) ? null : refusal('protocol.host_invalid');
}

/** Framing and connection fields: read, never forwarded as they came. */
function special(kind: number, value: string, out: RequestHead, framing: Framing): HeadRefusal | null {
  switch (kind) {
    case FIELD.CONTENT_LENGTH: {
      if (framing.lengths++ > 0) return refusal('protocol.content_length');
      const length = readContentLength(value);
      if (typeof length !== 'number') return length;
      if (value.length > 1 && value.charCodeAt(0) === 0x30) out.normalised = true;
      out.contentLength = length;
      return null;
    }
    case FIELD.TRANSFER_ENCODING:
      framing.transferEncoding =
        framing.transferEncoding === '' && !out.chunked ? value : `${framing.transferEncoding},${value}`;
      out.chunked = true;
      return null;
    case FIELD.CONNECTION: {
      const names = connectionNames(value);
      if (names !== null) framing.named = new Set([...(framing.named ?? []), ...names]);
      if (!isCleanConnection(value)) out.normalised = true;
      return null;
    }
    case FIELD.UPGRADE:
      framing.upgrades++;
      return null;
    case FIELD.EXPECT:
      if (out.http10) return null;
      if (value.toLowerCase() !== '100-continue') return refusal('protocol.expect');
      out.expectsContinue = true;
      return null;
    case FIELD.FRAMING_ALIAS:
      return refusal('protocol.field_alias');
    case FIELD.UNWANTED:
      out.normalised = true;
      return null;
    default:
      return null;
  }
}

function checkFraming(out: RequestHead, framing: Framing): HeadRefusal | null {
  if (!out.chunked) return null;
  if (out.http10) return refusal('protocol.te_http10');
  if (framing.lengths > 0) return refusal('protocol.cl_te');
  return checkTransferEncoding(framing.transferEncoding);
}

/** Fields that Picket sets itself: kept aside, joined as a list (RFC 9110 section 5.3). */
function managed(kind: number, name: string, value: string, out: RequestHead): null {
  switch (kind) {
    case FIELD.FORWARDED_FOR:
      out.forwardedFor = out.forwardedFor === '' ? value : `${out.forwardedFor}, ${value}`;
      return null;
    case FIELD.FORWARDED_PROTO:
      out.forwardedProto = out.forwardedProto === '' ? value : `${out.forwardedProto}, ${value}`;
      return null;
    case FIELD.FORWARDED_HOST:
      out.forwardedHost = out.forwardedHost === '' ? value : `${out.forwardedHost}, ${value}`;
      return null;
    case FIELD.REAL_IP:
      out.realIp = out.realIp === '' ? value : `${out.realIp}, ${value}`;
      return null;
    case FIELD.REQUEST_ID:
      out.requestId = out.requestId === '' ? value : `${out.requestId}, ${value}`;
      return null;
    case FIELD.FORWARDED:
      out.forwarded = out.forwarded === '' ? value : `${out.forwarded}, ${value}`;
      out.fields.push(name, value);
      return null;
    case FIELD.MAX_FORWARDS:
      maxForwards(name, value, out);
      return null;
    default:
      return null;
  }
}

/** Counted down for OPTIONS only (RFC 9110 section 7.6.2); anything else passes untouched. */
function maxForwards(name: string, value: string, out: RequestHead): void {
  if (out.method !== 'OPTIONS' || !/^[0-9]{1,9}$/.test(value)) {
    out.fields.push(name, value);
    return;
  }
  out.maxForwards = Number(value);
  out.normalised = true;
  if (out.maxForwards > 0) out.fields.push(name, String(out.maxForwards - 1));
}

/** Takes out what Connection named (RFC 9110 section 7.6.1), before Picket's own fields are added. */
function removeNamed(out: RequestHead, named: ReadonlySet<string>): void {
  const kept: string[] = [];
  for (let i = 0; i < out.fields.length; i += 2) {
    if (!named.has((out.fields[i] as string).toLowerCase())) {
      kept.push(out.fields[i] as string, out.fields[i + 1] as string);
    }
  }
  out.fields = kept;
  if (named.has('x-forwarded-for')) out.forwardedFor = '';
  if (named.has('x-forwarded-proto')) out.forwardedProto = '';
  if (named.has('x-forwarded-host')) out.forwardedHost = '';
  if (named.has('x-real-ip')) out.realIp = '';
  if (named.has('x-request-id')) out.requestId = '';
  if (named.has('forwarded')) out.forwarded = '';
}
