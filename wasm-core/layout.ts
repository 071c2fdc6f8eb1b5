// Portable facts shared by the scoring core (AssemblyScript) and its host (TypeScript): memory map and
// record layouts.
// Plain numeric constants only: the same file is an i32 to asc and a number to tsc. It imports nothing.
// docs/memory-map.md draws what stands here; test/property and wasm-core/host tests use the same names.

// --- memory map, in bytes from 0
// -----------------------------------------------------------------------------------
/**
 * The feature vector: f64 places, features first, then one place for each detector slot. What lies below stays empty, so 0 is
 * never a place.
 */
export const VECTOR_PTR = 34816;
export const VECTOR_PLACES = 4352;

/** Kernel B's copies of the features it reads, with missing values already replaced; copy 0 is always -Infinity. */
export const COPY_PTR = 69632;
export const COPY_SLOTS = 8448;

/** Kernel A's scratch: the row address of each column, then the AND of the rows. */
export const ROWS_PTR = 137216;
export const ROWS_COLUMNS = 4096;
export const ACC_PTR = 153600;
export const ACC_BYTES = 32768;

/** Where the three arenas begin; everything below is fixed. */
export const ARENA_BASE = 196608;
export const PAGE_BYTES = 65536;
/** Images, arenas and the tables in an image are aligned to a cache line. */
export const ALIGN_BYTES = 64;

// --- image header (one per bundle, at the arena's start)
// ---------------------------------------------------------
export const IMAGE_HEADER_BYTES = 64;
/** u32: first detector record of those that run on every request, and the end of those records. */
export const IMAGE_DETECTORS = 0;
export const IMAGE_DETECTORS_END = 4;
/** u32: address of the slot that holds the verdict's raw margin. */
export const IMAGE_VERDICT_SLOT = 8;

// --- detector record
// --------------------------------------------------------------------------------------------
export const DETECTOR_BYTES = 64;
/** u32: which kernel, one of the KERNEL_ numbers. */
export const DETECTOR_KERNEL = 0;
/** u32: DETECTOR_FLAG_ bits. */
export const DETECTOR_FLAGS = 4;
/** u32: address of the first slot, then u32 begin and u32 end of the output records. */
export const DETECTOR_SLOT = 8;
export const DETECTOR_OUTPUTS = 12;
export const DETECTOR_OUTPUTS_END = 16;
/** Kernel A, u32 each: columns of the 8+8 form, columns of the 16+16 form, bytes of a row, leaf table. */
export const DETECTOR_COLUMNS8 = 20;
export const DETECTOR_COLUMNS16 = 24;
export const DETECTOR_COLUMNS_END = 28;
export const DETECTOR_ROW_BYTES = 32;
export const DETECTOR_LEAVES = 36;
/** Kernel B, u32 each: begin and end of the copy records. */
export const DETECTOR_COPIES = 20;
export const DETECTOR_COPIES_END = 24;

export const KERNEL_A16 = 1;
export const KERNEL_A32 = 2;
export const KERNEL_A64 = 3;
export const KERNEL_B = 4;

export const DETECTOR_FLAG_F32_INPUT = 1;
export const DETECTOR_FLAG_F32_SUM = 2;
export const DETECTOR_FLAG_MEAN = 4;

// --- output record: one sum
// -------------------------------------------------------------------------------------
/** f64 base | f64 divisor | u32 begin | u32 end: numbers of 8-byte mask units for kernel A, group addresses for B. */
export const OUTPUT_BYTES = 32;
export const OUTPUT_BASE = 0;
export const OUTPUT_DIVISOR = 8;
export const OUTPUT_BEGIN = 16;
export const OUTPUT_END = 20;

// --- kernel A: column record
// ------------------------------------------------------------------------------------
/** u32 address of x | u32 thresholds | u32 row 0 | u32 bytes from row 0 to the row of a missing value. */
export const COLUMN_BYTES = 16;
/** Most thresholds of the two rank forms: two levels of 8 (9*9-1) and of 16 (17*17-1). */
export const RANK8_MAX = 80;
export const RANK16_MAX = 288;
export const RANK8_BYTES = 640;
export const RANK16_BYTES = 2304;

/** Leaf values of one tree: 8 bytes for each bit of its mask, so 8 bytes of masks always have 512 bytes of leaves. */
export const LEAVES16_BYTES = 128;
export const LEAVES32_BYTES = 256;
export const LEAVES64_BYTES = 512;

// --- kernel B: copy record, node, group
// -------------------------------------------------------------------------
/** u32 kind (COPY_) | u32 address of x | u32 set words | u32 flags and word count, for COPY_SET only. */
export const COPY_BYTES = 16;
export const COPY_NAN_LEFT = 0;
export const COPY_NAN_RIGHT = 1;
export const COPY_NAN_ZERO = 2;
export const COPY_ZERO_LEFT = 3;
export const COPY_ZERO_RIGHT = 4;
export const COPY_IS_NAN = 5;
export const COPY_SET = 6;
/** COPY_SET flags; the number of words of each of the two bit sets stands above bit 8. */
export const SET_FLAG_MISSING_LEFT = 1;
export const SET_FLAG_UNKNOWN_LEFT = 2;
export const SET_FLAG_TRUNCATE = 4;

/** f64 threshold (leaf: its value) | u32 byte offset of the copy (leaf: 0, which is -Infinity) | u32 left child. */
export const NODE_BYTES = 16;
/** u32 depth | 8 x u32 root; padded with one-leaf trees of value -0.0. */
export const GROUP_BYTES = 36;
export const GROUP_TREES = 8;

// --- explain record: flags and copies as in a detector record of kernel B, then
// ---------------------------------------------------------------------------
/** u32 each: begin and end of the leaf records, of the contributions, and of the condition records. */
export const EXPLAIN_LEAVES = 32;
export const EXPLAIN_LEAVES_END = 36;
export const EXPLAIN_OUT = 40;
export const EXPLAIN_OUT_END = 44;
export const EXPLAIN_CONDITIONS = 48;
export const EXPLAIN_CONDITIONS_END = 52;

/**
 * f64 value | u32 features, their end | u32 subset table, 0: integrate | u32 points, their end | u32 set of the features that
 * are missed, written by the kernel.
 */
export const LEAF_BYTES = 32;
export const LEAF_FEATURES = 8;
export const LEAF_FEATURES_END = 12;
export const LEAF_TABLE = 16;
export const LEAF_POINTS = 20;
export const LEAF_POINTS_END = 24;
export const LEAF_MISSED = 28;
/**
 * Condition of an inner node, parents first: f64 threshold | u32 byte offset of the copy | u32 bit of its feature | u32 set
 * of the features that are missed on the way to it, written by the kernel | u32 addresses of that set for left and right child.
 */
export const CONDITION_BYTES = 32;
export const CONDITION_MISSED = 16;
/** Feature of a path: f64 share z | f64 1 / z - 1 | u32 address of its contribution. */
export const PATH_FEATURE_BYTES = 24;
/** Point of quadrature: f64 t | f64 weight | f64 product over the features of the leaf at hand, written by the kernel. */
export const POINT_BYTES = 24;

/** Largest |x| that LightGBM takes for a missing zero: 1e-35 as f32. */
export const ZERO_MAX = 1.0000000180025095e-35;
