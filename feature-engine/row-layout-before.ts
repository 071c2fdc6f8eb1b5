// The layout of rows as the TypeScript engine has it, until its kernels take over: 96 words of 32 bits, at fixed places.
// Portable: slices are aligned to the wall clock, keys are 128-bit hashes, nothing refers to this process.
// Pure numbers; row-table.ts finds rows, row-update.ts changes them, extract.ts reads them.

/*
 *  word 0    4      5      6        8     10       12      14      18    24       46     54      66      74      90
 *       key  total  route  created  last  gapMean  gapDev  slices  req   5 min    bytes  sets5m  sets1h  seen1h  spare
 *       128  u32    u32    f64      f64   f64      f64     4 u32   3x2   11x2     4 f64
 */
export const ROW_WORDS = 96;
export const ROW_BYTES = ROW_WORDS * 4;

/** Four words: the keyed hash. */
export const KEY = 0;
/** Requests since the row was made. */
export const TOTAL = 4;
/** Route of the last request: what a profile begins with. */
export const LAST_ROUTE = 5;

/** Places in the f64 view of the row (word / 2): milliseconds since the epoch, and the gap statistics in ms. */
export const F_CREATED = 3;
export const F_LAST = 4;
export const F_GAP_MEAN = 5;
export const F_GAP_DEVIATION = 6;

/** Number of the current slice of each window, in the order of WINDOW_MS. */
export const SLICES = 14;

/** Pairs (current, previous) of request counts: 10 s, 1 min, 1 h. The 5-minute one is among the counters below. */
export const REQUESTS_10S = 18;
export const REQUESTS_1M = 20;
export const REQUESTS_1H = 22;

/** Pairs of the 5-minute slices. */
export const COUNTERS_5M = 24;
export const REQUESTS_5M = 24;
export const POST_5M = 26;
export const PUT_5M = 28;
export const DELETE_5M = 30;
export const ANSWERS_5M = 32;
export const CLIENT_ERRORS_5M = 34;
export const SERVER_ERRORS_5M = 36;
export const STATUS_401_5M = 38;
export const STATUS_403_5M = 40;
export const STATUS_404_5M = 42;
export const STATUS_429_5M = 44;
export const COUNTERS_5M_END = 46;

/** Pairs of f64: bytes of bodies, 5-minute slices. */
export const F_BYTES_IN_5M = 23;
export const F_BYTES_OUT_5M = 25;

/** Sketches, current slice then previous one: 64 bits for routes and paths, 32 for agents and the other axis. */
export const ROUTES_5M = 54;
export const PATHS_5M = 58;
export const AGENTS_5M = 62;
export const OTHERS_5M = 64;
export const ROUTES_1H = 66;
export const AGENTS_1H = 70;
export const OTHERS_1H = 72;

/** Bloom filters (2 bits per item) of what was seen in the current and the previous hourly slice. */
export const SEEN_OTHERS_1H = 74;
export const SEEN_AGENTS_1H = 78;
export const SEEN_ROUTES_1H = 82;
/** 64, 64 and 128 bits a slice. */
export const SEEN_OTHERS_WORDS = 2;
export const SEEN_AGENTS_WORDS = 2;
export const SEEN_ROUTES_WORDS = 4;
export const ROW_WORDS_USED = 90;
