// One identity's part of a profile: the same memory seen as words, f32 and f64, and where the part begins in it.
// Says nothing about what stands there: graph.ts, encounters.ts, objects.ts, travel.ts and sequence.ts lay out their own parts.

export interface Block {
  readonly words: Uint32Array;
  readonly floats: Float32Array;
  readonly doubles: Float64Array;
  /** First word, an even number so that f64 places are at / 2. */
  at: number;
}

/** A block of its own, zeroed: for tests and for tools that follow a single identity. */
export function newBlock(wordCount: number): Block {
  const memory = new ArrayBuffer(Math.ceil(wordCount / 2) * 8);
  return {
    words: new Uint32Array(memory),
    floats: new Float32Array(memory),
    doubles: new Float64Array(memory),
    at: 0,
  };
}
