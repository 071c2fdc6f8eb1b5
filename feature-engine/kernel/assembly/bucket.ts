// The workload's bucket of the moment: counts, sums and registers of distinct counts (domain/workload-bucket.ts). The host closes
// it when its 10 s are over and leaves its ratios to the workload's habit here, which every request carries until the next one.
// Answers count in the bucket in which they come. Called by the engine at the request and at the answer.

import {
  ADDRESS,
  AGENT,
  BYTES_IN,
  BYTES_OUT,
  CREDENTIAL,
  call,
  METHOD,
  PATH,
  STATUS,
} from './call';

/*
 * The region, 1280 bytes. f64: 0 requests  8 GET, HEAD, OPTIONS  16 POST  24 DELETE  32 PUT, PATCH  40 longest path
 * 48 answers  56 sum of response codes  64 body bytes   128 twelve ratios
 * u8: 256 registers of client addresses, credentials, raw paths, user agents, 256 each
 */
export const BUCKET_BYTES: usize = 1280;
const PATH_LONGEST: usize = 40;
const ANSWERS: usize = 48;
const STATUS_SUM: usize = 56;
const BYTES: usize = 64;
const RATIOS: usize = 128;
const SETS: usize = 256;
const SET_BYTES: usize = 256;
/** By index into METHODS of domain/head-view.ts: where it is counted; 0 where not apart. */
const sumOf: usize = memory.data<u8>([8, 8, 8, 16, 32, 32, 24, 0]);

let bucket: usize = 0;
/** Bytes of the vector: where the ratios go, and where the length of the path stands. */
let place: usize = 0;
let pathPlace: usize = 0;

/** Region at `at`, and the places in the vector of the first ratio and of path_bytes, which is written before. */
export function configureBucket(at: usize, firstPlace: usize, pathBytesPlace: usize): void {
  bucket = at;
  place = firstPlace << 3;
  pathPlace = pathBytesPlace << 3;
}

/** Counts the request at hand and writes the ratios of the last complete bucket. */
export function observeBucket(vector: usize): void {
  add(0, 1);
  const sum = <usize>load<u8>(sumOf + <usize>(load<u32>(call, METHOD) & 7));
  if (sum != 0) add(sum, 1);
  const pathBytes = load<f64>(vector + pathPlace);
  if (pathBytes > load<f64>(bucket, PATH_LONGEST)) store<f64>(bucket, pathBytes, PATH_LONGEST);
  mark(0, load<u32>(call, ADDRESS));
  mark(SET_BYTES, load<u32>(call, CREDENTIAL));
  mark(2 * SET_BYTES, load<u32>(call, PATH));
  const agent = load<u32>(call, AGENT);
  if (agent != 0) mark(3 * SET_BYTES, agent);
  const out = vector + place;
  for (let i: usize = 0; i < 96; i += 16) v128.store(out + i, v128.load(bucket + i, RATIOS));
}

/** Counts the answer at hand; one that never came (status 0) with its bytes only. */
export function bucketAnswered(): void {
  add(BYTES, load<f64>(call, BYTES_IN) + load<f64>(call, BYTES_OUT));
  const status = load<u32>(call, STATUS);
  if (status < 100) return;
  add(ANSWERS, 1);
  add(STATUS_SUM, <f64>status);
}

// @ts-ignore: decorator
@inline
function add(sum: usize, value: f64): void {
  store<f64>(bucket + sum, load<f64>(bucket + sum) + value);
}

/** Marks a well-mixed hash in the registers of a set: the first 8 bits say which, the leading zeros of the others what. */
// @ts-ignore: decorator
@inline
function mark(set: usize, hash: u32): void {
  const register = bucket + SETS + set + <usize>(hash >>> 24);
  const rank = clz<u32>((hash << 8) | 0x80) + 1;
  if (rank > <u32>load<u8>(register)) store<u8>(register, rank);
}
