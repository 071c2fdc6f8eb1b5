// Exports of the head kernels (assembly/head.ts, words.ts, target.ts, text.ts), and what the struct of the request at hand holds
// for them. Shapes and places only. Called through memory.ts and head-memory.ts.

/** Addresses are bytes from the start of the memory, `end` is behind the last byte. */
export interface HeadKernels {
  headRegionBytes(): number;
  configureHead(
    region: number,
    seed: number,
    requestPlace: number,
    lexicalPlace: number,
    bodyPlace: number,
  ): void;
  /** 0 if the word does not fit. */
  addLexiconWord(at: number, end: number): number;
  addPlainName(at: number, end: number): number;
  isPlainName(at: number, end: number): number;
  readHead(out: number): void;
  readBodyPrefix(out: number): void;
  familyOf(at: number, end: number): number;
  hashBytes(at: number, end: number, seed: number): number;
  looksLikeId(at: number, end: number): number;
  siphash128(at: number, bytes: number, keyAt: number, outAt: number): void;
}

/** Places of the facts in the struct, in bytes: the same as in assembly/call.ts and assembly/head.ts. */
export const HEAD_CALL = {
  method: 76,
  path: 80,
  agent: 84,
  agentFamily: 88,
  object: 124,
  objectNumber: 128,
  paramCount: 136,
  paramKeys: 140,
  paramValues: 172,
  headAt: 208,
  endsAt: 212,
  targetStart: 216,
  pathEnd: 220,
  targetEnd: 224,
  fieldCount: 228,
  fieldBytes: 232,
  agentField: 236,
  contentLength: 240,
  bodyAt: 248,
  bodyBytes: 252,
  rewritten: 256,
  shown: 332,
} as const;
