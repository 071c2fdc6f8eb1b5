// Logarithms for surprise: the table that assembly/rarity.ts reads, made here because a kernel's own logarithm would differ in
// last bits from the one that references and reports use. Called by memory.ts at start.

const SIZE = 4096;
/** Adds to each count: what was never seen is rare, not impossible. */
const PRIOR = 0.5;

/** log2(n), then log2(n + 1/2), for n = 0..4095. */
export const LOG_TABLE = Float64Array.from({ length: 2 * SIZE }, (_, i) =>
  i < SIZE ? Math.log2(i) : Math.log2(i - SIZE + PRIOR),
);
