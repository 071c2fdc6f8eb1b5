// What must still be known of a request when its answer comes: a ring of the last 4096 requests, two lines each. A trace is the
// request's number; one that was overtaken meanwhile reads as unknown. Called by observe.ts and answer.ts.

import {
  ADDRESS,
  AGENT_ROUTE,
  ASN,
  call,
  CREDENTIAL,
  LOGIN,
  OBJECT,
  PATH,
  PRINCIPAL_HANDLE,
  ROUTE,
  SUBNET,
  TRACE,
} from './call';

const TRACES: u32 = 4096;
/** Bytes of one; those from TRACE_REST on are for the head kernel's findings. */
export const TRACE_BYTES: u32 = 128;
const LINE: usize = 64;
/*
 * The region: a line whose first word is the last number given, then the ring. A trace:
 * u32: 0 number  4 route  8 address  12 subnet  16 network  20 agent x route  24 credential  28 login  32 object id  36 path
 * f64: 40 handle of the principal's row
 */
const HANDLE: usize = 40;
export const TRACE_REST: usize = 48;

let ring: usize = 0;

/** @param at address of 64 + 4096 * 128 zeroed bytes. */
export function configureTraces(at: usize): void {
  ring = at;
}

/** Address of a number's place in the ring. */
// @ts-ignore: decorator
@inline
function placeOf(trace: u32): usize {
  return ring + LINE + <usize>(trace % TRACES) * TRACE_BYTES;
}

// @ts-ignore: decorator
@inline
function copyField(trace: usize, place: usize, field: usize): void {
  store<u32>(trace + place, load<u32>(call + field));
}

/** Notes the request at hand, puts its number (1 or more) into the call and gives the address of its trace. */
export function addTrace(): usize {
  let last = load<u32>(ring) + 1;
  if (last == 0) last = 1;
  store<u32>(ring, last);
  const at = placeOf(last);
  store<u32>(at, last);
  copyField(at, 4, ROUTE);
  copyField(at, 8, ADDRESS);
  copyField(at, 12, SUBNET);
  copyField(at, 16, ASN);
  copyField(at, 20, AGENT_ROUTE);
  copyField(at, 24, CREDENTIAL);
  copyField(at, 28, LOGIN);
  copyField(at, 32, OBJECT);
  copyField(at, 36, PATH);
  store<f64>(at, load<f64>(call, PRINCIPAL_HANDLE), HANDLE);
  store<u32>(call, last, TRACE);
  return at;
}

/** Puts what the call's trace kept back into the call; gives its address, 0 if it was never given or has been overtaken. */
export function findTrace(): usize {
  const trace = load<u32>(call, TRACE);
  const at = placeOf(trace);
  if (trace == 0 || load<u32>(at) != trace) return 0;
  store<u32>(call, load<u32>(at, 4), ROUTE);
  store<u32>(call, load<u32>(at, 8), ADDRESS);
  store<u32>(call, load<u32>(at, 12), SUBNET);
  store<u32>(call, load<u32>(at, 16), ASN);
  store<u32>(call, load<u32>(at, 20), AGENT_ROUTE);
  store<u32>(call, load<u32>(at, 24), CREDENTIAL);
  store<u32>(call, load<u32>(at, 28), LOGIN);
  store<u32>(call, load<u32>(at, 32), OBJECT);
  store<u32>(call, load<u32>(at, 36), PATH);
  store<f64>(call, load<f64>(at, HANDLE), PRINCIPAL_HANDLE);
  return at;
}
