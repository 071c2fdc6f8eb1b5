// Where everything lies in the row of one identity or one client address, in words of 32 bits: plain numbers, the same to asc
// and to tsc, importing nothing. What a row is and how its fields merge: row-layout.ts, which is what TypeScript imports.

/*
 *  word 0    4      5      6        7      8        10    12       14      16              106           126
 *       key  total  last   profile  slice  created  last  gapMean  gapDev  5 x window      sketches      own to the axis
 *       128  u32    route  slot+1   u32    f64      f64   f64      f64     5 x 18          20            identity 26, address 2
 *  A window: 0 requests, bytes in, bytes out (current slice, u32 each)   3 the same of the previous slice
 *            6 twelve counters of answers and methods, u16 pairs: current slice low half, previous slice high half
 */

/** Words of an identity's row, and of an address's, which is as long as eight cache lines. */
export const IDENTITY_ROW_WORDS = 152;
export const ADDRESS_ROW_WORDS = 128;

/** Four words: the keyed hash. */
export const KEY = 0;
/** Requests since the row was made. */
export const TOTAL = 4;
/** Route of the last request: what a profile begins with. */
export const LAST_ROUTE = 5;
/** Place of the profile in its table plus one, 0 without one; it is the row's own only if it begins with the row's key. */
export const PROFILE = 6;
/** Number of the 10 s slice to which all windows were rolled; those of the longer windows are multiples of it. */
export const SLICE = 7;
/** f64: milliseconds since the epoch, and gap statistics in ms. */
export const CREATED = 8;
export const LAST = 10;
export const GAP_MEAN = 12;
export const GAP_DEVIATION = 14;
/** Of a view of what other replicas counted, which has no gaps of its own: f64, ms since the epoch up to which it may be used. */
export const VIEW_UNTIL = 12;

/** Five windows in the order of WINDOW_MS (windows.ts), WINDOW_WORDS each; offsets inside one follow. */
export const WINDOWS = 16;
export const WINDOW_WORDS = 18;
/** u32 that stop at their largest value, three of the current slice and WIDE_COUNT words on those of the previous one. */
export const REQUESTS = 0;
export const BYTES_IN = 1;
export const BYTES_OUT = 2;
export const WIDE_COUNT = 3;
/** One word each: current slice in the low half, previous one in the high half; either stops at 65,535. */
export const PACKED = 6;
export const PACKED_COUNT = 12;
export const METHOD_GET = 6;
export const METHOD_POST = 7;
export const METHOD_PUT = 8;
export const METHOD_DELETE = 9;
/** Answers below 300, so that 101 (a WebSocket begins) counts as a success. */
export const STATUS_2XX = 10;
export const STATUS_3XX = 11;
export const STATUS_4XX = 12;
/** Answers of 500 and above. */
export const STATUS_5XX = 13;
export const STATUS_401 = 14;
export const STATUS_403 = 15;
export const STATUS_404 = 16;
export const STATUS_429 = 17;

/** Linear counters (sketch.ts), current slice then previous one: 2 words a slice for routes and paths, else 1. */
export const ROUTES_5M = 106;
export const PATHS_5M = 110;
export const AGENTS_5M = 114;
export const OTHERS_5M = 116;
export const ROUTES_1H = 118;
export const AGENTS_1H = 122;
export const OTHERS_1H = 124;

/** What only one axis has begins here. */
export const OWN = 126;
/** Of an address: identities that were made there, 1-minute slices, a u16 pair. */
export const MADE_1M = 126;
/** Of an identity: bloom filters, 2 bits an item, current slice then previous one; "others" are client addresses. */
export const SEEN_OTHERS_1H = 126;
export const SEEN_AGENTS_1H = 130;
export const SEEN_ROUTES_1H = 134;
export const SEEN_OTHERS_24H = 142;
export const SEEN_AGENTS_24H = 146;
export const SEEN_NETWORKS_24H = 150;
/** Words of one slice of them. */
export const SEEN_OTHERS_WORDS = 2;
export const SEEN_AGENTS_WORDS = 2;
export const SEEN_ROUTES_WORDS = 4;
export const SEEN_NETWORKS_WORDS = 1;
