// Adds up what several replicas counted of the same identity: rows rolled to the same 10 s slice, then merged field by field as
// the engine's field table says. Exact for counters (they stop at their largest value), OR for sketches and filters. Pure; the
// kernels roll rows of the engine itself the same way. Called by shared windows.

/** What is needed of a field; RowField of row-layout.ts is one. */
export interface MergeField {
  readonly kind: string;
  /** First word of the current slice, and words of one slice. */
  readonly word: number;
  readonly words: number;
  /** First word of the previous slice; `word` where both share it; -1 without slices. */
  readonly previous: number;
  /** Index into the windows, -1 without one. */
  readonly window: number;
}

/** 10 s slices in a slice of each window: 10 s, 1 min, 5 min, 1 h, 24 h. */
export const SLICES_PER_WINDOW = [1, 6, 30, 360, 8640] as const;
export const SLICE_MS = 10_000;
const HALF_MAX = 0xffff;
const WORD_MAX = 0xffffffff;

export class RowMerger {
  readonly rowWords: number;
  readonly #sliced: readonly MergeField[];
  readonly #counts: readonly MergeField[];
  readonly #halves: readonly MergeField[];
  readonly #bits: readonly MergeField[];
  readonly #sliceWord: number;
  /** Words that another replica can do something with: windows, and the slice they were rolled to. */
  readonly #sharedWords: Uint8Array;

  /** Throws RangeError if the fields have no slice, or go beyond the row. */
  constructor(fields: readonly MergeField[], rowWords: number) {
    this.rowWords = rowWords;
    this.#sliced = fields.filter(({ window }) => window >= 0);
    const ofKind = (...kinds: string[]) => this.#sliced.filter(({ kind }) => kinds.includes(kind));
    this.#counts = ofKind('count32', 'bytes32');
    this.#halves = ofKind('count16');
    this.#bits = ofKind('sketch', 'bloom');
    const slice = fields.find(({ kind }) => kind === 'slice');
    if (slice === undefined) throw new RangeError('rows without a slice cannot be merged');
    this.#sliceWord = slice.word;
    this.#sharedWords = new Uint8Array(rowWords);
    for (const { word, words, previous } of [...this.#sliced, slice]) {
      const end = Math.max(word, previous) + words;
      if (end > rowWords) throw new RangeError(`a field ends at word ${end} of ${rowWords}`);
      this.#sharedWords.fill(1, word, word + words);
      if (previous >= 0) this.#sharedWords.fill(1, previous, previous + words);
    }
  }

  /** Number of the 10 s slice that all windows of the row were rolled to. */
  sliceOf(row: Uint32Array): number {
    return row[this.#sliceWord]!;
  }

  /** Sets to 0 what means nothing to another replica. */
  strip(row: Uint32Array): void {
    for (let word = 0; word < this.rowWords; word++) if (this.#sharedWords[word] === 0) row[word] = 0;
  }

  /** Moves all windows on to the 10 s slice. A row never rolls back. */
  roll(row: Uint32Array, slice: number): void {
    const was = this.sliceOf(row);
    if (slice <= was) return;
    row[this.#sliceWord] = slice;
    for (const field of this.#sliced) {
      const per = SLICES_PER_WINDOW[field.window as 0]!;
      const behind = Math.floor(slice / per) - Math.floor(was / per);
      if (behind > 0) rollField(row, field, behind > 1);
    }
  }

  /** Adds `other` to `into`; both were rolled to the same slice. */
  add(into: Uint32Array, other: Uint32Array): void {
    for (const { word, words, previous } of this.#counts) {
      for (let i = 0; i < words; i++) {
        into[word + i] = Math.min(WORD_MAX, into[word + i]! + other[word + i]!);
        into[previous + i] = Math.min(WORD_MAX, into[previous + i]! + other[previous + i]!);
      }
    }
    for (const { word } of this.#halves) into[word] = addHalves(into[word]!, other[word]!);
    for (const { word, words, previous } of this.#bits) {
      for (let i = 0; i < words; i++) {
        into[word + i] = into[word + i]! | other[word + i]!;
        into[previous + i] = into[previous + i]! | other[previous + i]!;
      }
    }
  }
}

function addHalves(a: number, b: number): number {
  const low = Math.min(HALF_MAX, (a & HALF_MAX) + (b & HALF_MAX));
  const high = Math.min(HALF_MAX, (a >>> 16) + (b >>> 16));
  return ((high << 16) | low) >>> 0;
}

function rollField(row: Uint32Array, { word, words, previous }: MergeField, far: boolean): void {
  if (previous === word) {
    for (let i = 0; i < words; i++) row[word + i] = far ? 0 : row[word + i]! << 16;
    return;
  }
  for (let i = 0; i < words; i++) {
    row[previous + i] = far ? 0 : row[word + i]!;
    row[word + i] = 0;
  }
}
