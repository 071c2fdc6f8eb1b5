// The request head, read once: path hash, object id and query for the struct of the request at hand; user agent and its family;
// the request-shape and lexical features of the vector. Targets and header values that come again are looked up, not read.
// Linear in the head whatever it holds. The host writes the facts below before it calls; nothing here judges.
// Called by observe.ts, and by the host for bodies that are held.

import {
  AGENT,
  AGENT_FAMILY,
  call,
  METHOD,
  OBJECT,
  OBJECT_NUMBER,
  PARAM_COUNT,
  PARAM_KEYS,
  PARAM_VALUES,
  PATH,
  SHOWN,
} from './call';
import { hashBytes } from './hash-bytes';
import { mix32 } from './mix';
import {
  ENCODED_BYTES,
  KEYS,
  NUMBER,
  OBJECT_HASH,
  ODD_BYTES,
  PARAMS_READ,
  PATH_HASH,
  prepareTarget,
  QUERY_PARAMS,
  readTarget,
  REWRITTEN,
  SEGMENTS,
  TARGET_NUMBERS,
  VALUES,
} from './target';
import { configureText, COUNTS, LEVELS, readText, SCRATCH_BYTES, SHARES, TEXT_NUMBERS } from './text';
import { cacheBytes, known, place } from './value-cache';
import { isPlainName } from './words';

// Facts in the struct, u32 unless said otherwise; the host's names for them: head-memory.ts.
/** Address of the head's bytes (method, target, then name and value of each field) and of the ends of names and values. */
export const HEAD_AT: usize = 208;
export const ENDS_AT: usize = 212;
/** From HEAD_AT. */
export const TARGET_START: usize = 216;
export const PATH_END: usize = 220;
export const TARGET_END: usize = 224;
export const FIELD_COUNT: usize = 228;
export const FIELD_BYTES: usize = 232;
/** i32, -1 without a User-Agent. */
export const AGENT_FIELD: usize = 236;
/** f64, NaN without a Content-Length. */
export const CONTENT_LENGTH: usize = 240;
/** Address and length of a held body prefix; length 0 without one. */
export const BODY_AT: usize = 248;
export const BODY_BYTES: usize = 252;
/** Written here, for the host: 1 if the target's normalised form differs. */
export const HEAD_REWRITTEN: usize = 256;
/** Written here, for route-profile.ts: entry of the target (its numbers: TARGET_ENTRY). */
export const TARGET_ENTRY: usize = 260;

/** Entry of a target: u32 length, u32 bytes of the path, numbers of the text, numbers of the target. */
const TARGET_TEXT: usize = 16;
export const TARGET_SCAN: usize = TARGET_TEXT + TEXT_NUMBERS;
const TARGET_HEAD: usize = 192;
/** Entry of a value: u32 length, u32 hash as a user agent (0: not asked for yet), u32 family, numbers of the text. */
const VALUE_TEXT: usize = 16;
const VALUE_HEAD: usize = 64;
/** Longer agents count by their beginning. */
const FAMILY_BYTES_MAX: usize = 256;
const TEXT_FEATURES: usize = 8;

let seed: u32 = 0;
let targets: usize = 0;
let values: usize = 0;
let body: usize = 0;
let requestAt: usize = 0;
let lexicalAt: usize = 0;
let bodyFeaturesAt: usize = 0;

// @ts-ignore: decorator
@inline
function lines(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

/** Bytes of the region that configureHead is given. */
export function headRegionBytes(): u32 {
  return <u32>(lines(cacheBytes(TARGET_HEAD)) + lines(cacheBytes(VALUE_HEAD)) + lines(SCRATCH_BYTES) + 64);
}

/** Once: a zeroed region, the key of hashes, and the places of the first feature of each group. */
export function configureHead(region: usize, hashSeed: u32, request: u32, lexical: u32, ofBody: u32): void {
  seed = hashSeed;
  targets = region;
  values = targets + lines(cacheBytes(TARGET_HEAD));
  const scratch = values + lines(cacheBytes(VALUE_HEAD));
  body = scratch + lines(SCRATCH_BYTES);
  requestAt = <usize>request << 3;
  lexicalAt = <usize>lexical << 3;
  bodyFeaturesAt = <usize>ofBody << 3;
  configureText(scratch);
  prepareTarget();
}

/** Entry of the request's target, its numbers complete. */
// @ts-ignore: decorator
@inline
function targetEntry(start: usize, pathEnd: usize, end: usize): usize {
  const entry = place(targets, TARGET_HEAD, start, end);
  const pathBytes = <u32>(pathEnd - start);
  if (!known || load<u32>(entry, 4) != pathBytes) {
    store<u32>(entry, pathBytes, 4);
    readText(start, end, entry + TARGET_TEXT, true);
    readTarget(start, pathEnd, end, entry + TARGET_SCAN, seed);
  }
  return entry;
}

/** Hash and family of the user agent [at, end), kept in `entry` if there is one. */
// @ts-ignore: decorator
@inline
function readAgent(at: usize, end: usize, entry: usize): void {
  let agent = entry == 0 ? 0 : load<u32>(entry, 4);
  let family: u32;
  if (agent != 0) family = load<u32>(entry, 8);
  else {
    agent = max<u32>(hashBytes(at, end, seed), 1);
    family = familyOf(at, end);
    if (entry != 0) {
      store<u32>(entry, agent, 4);
      store<u32>(entry, family, 8);
    }
  }
  store<u32>(call, agent, AGENT);
  store<u32>(call, family, AGENT_FAMILY);
}

/**
 * The family of a user agent: its product names without versions and numbers, so that an update of a browser does not make it a
 * new client. 32 bits of [at, end) with digits, "." and "_" left out and letters in lower case; never 0.
 */
export function familyOf(at: usize, end: usize): u32 {
  let hash: u32 = 0x811c9dc5;
  const last = end - at > FAMILY_BYTES_MAX ? at + FAMILY_BYTES_MAX : end;
  for (; at < last; at++) {
    const byte = <u32>load<u8>(at);
    if (byte - 0x30 < 10 || byte == 0x2e || byte == 0x5f) continue;
    hash = (hash ^ (byte - 0x41 < 26 ? byte | 0x20 : byte)) * 0x01000193;
  }
  return max<u32>(mix32(hash), 1);
}

/** Writes the eight features of a text, or of all texts joined. */
// @ts-ignore: decorator
@inline
function writeText(out: usize, shares: v128, levels: v128, counts: v128): void {
  v128.store(out, f64x2.promote_low_f32x4(shares));
  v128.store(out, f64x2.promote_low_f32x4(v128.shuffle<u64>(shares, shares, 1, 0)), 16);
  store<f64>(out, <f64>f32x4.extract_lane(levels, 0), 32);
  store<f64>(out, <f64>i32x4.extract_lane(counts, 0), 40);
  store<f64>(out, <f64>i32x4.extract_lane(counts, 1), 48);
  store<f64>(out, <f64>f32x4.extract_lane(levels, 1), 56);
}

// @ts-ignore: decorator
@inline
function writeMissing(out: usize): void {
  const missing = f64x2.splat(f64.NaN);
  for (let i: usize = 0; i < TEXT_FEATURES; i += 2) v128.store(out + (i << 3), missing);
}

/** The 16 places of the request group. */
// @ts-ignore: decorator
@inline
function writeRequest(out: usize, scan: usize): void {
  const method = load<u32>(call, METHOD);
  const start = load<u32>(call, TARGET_START);
  const pathEnd = load<u32>(call, PATH_END);
  const end = load<u32>(call, TARGET_END);
  const encoded = load<u32>(scan, ENCODED_BYTES);
  store<f64>(out, <f64>(<u32>(method < 3)));
  store<f64>(out, <f64>(<u32>(method == 3)), 8);
  store<f64>(out, <f64>(<u32>(method - 4 < 2)), 16);
  store<f64>(out, <f64>(<u32>(method == 6)), 24);
  store<f64>(out, <f64>(pathEnd - start), 32);
  store<f64>(out, <f64>load<u32>(scan, SEGMENTS), 40);
  store<f64>(out, end > pathEnd ? <f64>(end - pathEnd - 1) : 0, 48);
  store<f64>(out, <f64>load<u32>(scan, QUERY_PARAMS), 56);
  store<f64>(out, <f64>load<u32>(call, FIELD_COUNT), 64);
  store<f64>(out, <f64>load<u32>(call, FIELD_BYTES), 72);
  store<f64>(out, <f64>(<f32>load<f64>(call, CONTENT_LENGTH)), 80);
  store<f64>(out, encoded == 0 ? 0 : <f64>(<f32>(<f64>encoded / <f64>(end - start))), 88);
  store<f64>(out, <f64>load<u32>(scan, ODD_BYTES), 96);
  store<f64>(out, <f64>load<u32>(scan, REWRITTEN), 104);
  store<f64>(out, <f64>load<u32>(call, SHOWN), 112);
  store<f64>(out, f64.NaN, 120);
}

/** What the target says, for the struct. */
// @ts-ignore: decorator
@inline
function tell(scan: usize): void {
  const path = load<u32>(scan, PATH_HASH);
  store<u32>(call, max<u32>(path, 1), PATH);
  store<u32>(call, load<u32>(scan, OBJECT_HASH), OBJECT);
  store<f64>(call, load<f64>(scan, NUMBER), OBJECT_NUMBER);
  store<u32>(call, load<u32>(scan, REWRITTEN), HEAD_REWRITTEN);
  const read = load<u32>(scan, PARAMS_READ);
  store<u32>(call, read, PARAM_COUNT);
  if (read == 0) return;
  v128.store(call, v128.load(scan, KEYS), PARAM_KEYS);
  v128.store(call, v128.load(scan, VALUES), PARAM_VALUES);
  if (read <= 4) return;
  v128.store(call, v128.load(scan, KEYS + 16), PARAM_KEYS + 16);
  v128.store(call, v128.load(scan, VALUES + 16), PARAM_VALUES + 16);
}

/** Reads the head whose facts stand in the struct; writes its findings there and its features into the vector at `out`. */
export function readHead(out: usize): void {
  const head = <usize>load<u32>(call, HEAD_AT);
  let at = head + <usize>load<u32>(call, TARGET_END);
  const start = head + <usize>load<u32>(call, TARGET_START);
  const target = targetEntry(start, head + <usize>load<u32>(call, PATH_END), at);
  store<u32>(call, <u32>target, TARGET_ENTRY);
  writeRequest(out + requestAt, target + TARGET_SCAN);
  tell(target + TARGET_SCAN);
  const lexical = out + lexicalAt;
  const targetCounts = v128.load(target, TARGET_TEXT + COUNTS);
  const targetLevels = v128.load(target, TARGET_TEXT + LEVELS);
  writeText(lexical, v128.load(target, TARGET_TEXT + SHARES), targetLevels, targetCounts);
  store<f64>(lexical, <f64>i32x4.extract_lane(targetCounts, 3), 128);

  let ends = <usize>load<u32>(call, ENDS_AT);
  const count = <i32>load<u32>(call, FIELD_COUNT);
  const agentField = load<i32>(call, AGENT_FIELD);
  let shares = i32x4.splat(0);
  let levels = i32x4.splat(0);
  let counts = i32x4.splat(0);
  let texts = 0;
  store<u32>(call, 0, AGENT);
  store<u32>(call, 0, AGENT_FAMILY);
  for (let field = 0; field < count; field++, ends += 8) {
    const nameEnd = head + <usize>load<u32>(ends);
    const end = head + <usize>load<u32>(ends, 4);
    let entry: usize = 0;
    if (end > nameEnd && !isPlainName(at, nameEnd)) {
      entry = place(values, VALUE_HEAD, nameEnd, end);
      if (!known) {
        store<u32>(entry, 0, 4);
        readText(nameEnd, end, entry + VALUE_TEXT, false);
      }
      shares = f32x4.pmax(shares, v128.load(entry, VALUE_TEXT + SHARES));
      levels = f32x4.pmax(levels, v128.load(entry, VALUE_TEXT + LEVELS));
      counts = i32x4.add(counts, v128.load(entry, VALUE_TEXT + COUNTS));
      texts++;
    }
    if (field == agentField) {
      readAgent(nameEnd, end, entry);
      store<f64>(out + requestAt, <f64>(<u32>(end - nameEnd)), 120);
    }
    at = end;
  }
  if (texts == 0) writeMissing(lexical + 64);
  else writeText(lexical + 64, shares, levels, counts);
  const steps = i32x4.extract_lane(targetCounts, 2) + i32x4.extract_lane(counts, 2);
  store<f64>(lexical, <f64>steps, 136);
}

/** Writes the eight features of the body prefix whose place stands in the struct; missing without one. */
export function readBodyPrefix(out: usize): void {
  const at = <usize>load<u32>(call, BODY_AT);
  const bytes = <usize>load<u32>(call, BODY_BYTES);
  if (bytes == 0) {
    writeMissing(out + bodyFeaturesAt);
    return;
  }
  readText(at, at + bytes, body, false);
  writeText(
    out + bodyFeaturesAt,
    v128.load(body, SHARES),
    v128.load(body, LEVELS),
    v128.load(body, COUNTS),
  );
}
