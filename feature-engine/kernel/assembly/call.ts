// The request (or answer) at hand, as all kernels see it: one struct at a fixed address, filled by the host and by the head
// kernel before the others run. Hashes are 32 bits and never 0 where something is there. Layout only.

/** Bytes of the struct. */
export const CALL_BYTES: usize = 576;
/** The one struct; the host reads this address once. */
export const call: usize = memory.data(576, 64);

/** f64, ms since the epoch: accept time, never before the last one. */
export const NOW_MS: usize = 0;
/** 5 x f64: how much of the previous slice of 10 s, 1 min, 5 min, 1 h, 24 h still counts (windows.ts). */
export const OVERLAPS: usize = 8;
/** 5 x u32: number of the current slice of each. */
export const SLICES: usize = 48;
/** u32: route template and method. */
export const ROUTE: usize = 72;
/** u32: index into METHODS of domain/head-view.ts. */
export const METHOD: usize = 76;
/** u32: raw path. */
export const PATH: usize = 80;
/** u32: user agent, 0 without one; and its family. */
export const AGENT: usize = 84;
export const AGENT_FAMILY: usize = 88;
/** u32: user agent and route, 0 without a user agent. */
export const AGENT_ROUTE: usize = 92;
/** u32: client address and user agent. */
export const PAIR: usize = 96;
/** u32: autonomous system number, 0 if unknown. */
export const ASN: usize = 100;
/** u32: /24 or /48 of the client address, 0 if unknown. */
export const SUBNET: usize = 104;
/** u32: marks of the client address, the credential and the principal. */
export const ADDRESS: usize = 108;
export const CREDENTIAL: usize = 112;
export const PRINCIPAL: usize = 116;
/** u32: keyed hash of the login name, 0 without one. */
export const LOGIN: usize = 120;
/** u32: object id of the path, 0 if it holds none. */
export const OBJECT: usize = 124;
/** f64: its value if it is a decimal number of at most 15 digits, else NaN. */
export const OBJECT_NUMBER: usize = 128;
/** u32: parameters of the query that were read, at most 8; then 8 x u32 keys, 8 x u32 values. */
export const PARAM_COUNT: usize = 136;
export const PARAM_KEYS: usize = 140;
export const PARAM_VALUES: usize = 172;
/** u32: first-slice words of the head kernel's findings (head.ts). */
export const HEAD_FACTS: usize = 208;
/** f64 from here: ms since the state's memory began (restored state is as old as it was). */
export const STATE_AGE_MS: usize = 320;
/** u32: status of the answer, 0 if none came; for answers only. */
export const STATUS: usize = 328;
/** u32: 1 if a credential was shown, 0 if the address stands for the identity. */
export const SHOWN: usize = 332;
/** 3 x 128 bits: keys of the credential, the principal and the client address. */
export const KEYS: usize = 336;
/** The same under the key before a rotation; FORMER has a bit for each that is given, in that order. */
export const FORMER_KEYS: usize = 384;
export const FORMER: usize = 432;
/** u32: trace of the request, given by observe, asked by answer. */
export const TRACE: usize = 436;
/** f64, for answers only: ms since the epoch when it ended; bytes of the bodies. */
export const AT_MS: usize = 440;
export const BYTES_IN: usize = 448;
export const BYTES_OUT: usize = 456;
/** Facts of the client address: f32 degrees (NaN if unknown), u32 country (0 if unknown), u32 kind (address-kind.ts). */
export const LATITUDE: usize = 464;
export const LONGITUDE: usize = 468;
export const COUNTRY: usize = 472;
export const KIND: usize = 476;
/** f64, given by observe: handles of the credential's and of the address's row (table.ts). */
export const IDENTITY_HANDLE: usize = 480;
export const ADDRESS_HANDLE: usize = 488;
/** f64 and u32: time and route (0: none) of the principal's request before this one. */
export const BEFORE_MS: usize = 496;
export const BEFORE_ROUTE: usize = 504;
/** u32: address of the principal's profile, 0 without one; 1 if it was made for this request. */
export const PROFILE: usize = 508;
export const PROFILE_MADE: usize = 512;
/** f64, by the host: when the state's memory began, ms since the epoch. */
export const STATE_STARTED_MS: usize = 520;
/** f64, by the host: when the request came, ms since the epoch; NOW_MS does not go back. */
export const NEXT_MS: usize = 536;
/** u32: where early looks at memory are put, so that they are made; nobody reads it. */
export const LOOKED: usize = 544;
/** f64, from observe to addTrace and from findTrace to answer: handle of the principal's row. */
export const PRINCIPAL_HANDLE: usize = 528;

// @ts-ignore: decorator
@inline
export function nowMs(): f64 {
  return load<f64>(call, NOW_MS);
}

/** Overlap of window `w` (index into WINDOW_MS of windows.ts). */
// @ts-ignore: decorator
@inline
export function overlap(w: usize): f64 {
  return load<f64>(call + (w << 3), OVERLAPS);
}

/** Current slice of window `w`. */
// @ts-ignore: decorator
@inline
export function slice(w: usize): u32 {
  return load<u32>(call + (w << 2), SLICES);
}
