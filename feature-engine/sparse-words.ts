// Rows are mostly zeros: a record is one word of the caller's, a bit for each word of the row, then the words that are not zero.
// Pure; used for snapshots on disk and for rows on their way to the shared store.

/** Words of a record at most. */
export function recordWordsMax(rowWords: number): number {
  return 1 + bitmapWords(rowWords) + rowWords;
}

export function bitmapWords(rowWords: number): number {
  return (rowWords + 31) >>> 5;
}

/** Writes the record of `row[0, rowWords)` at `out[at]`, which has room for the longest; returns its words. */
export function putRecord(out: Uint32Array, at: number, first: number, row: Uint32Array): number {
  const mapWords = bitmapWords(row.length);
  out[at] = first;
  let next = at + 1 + mapWords;
  for (let m = 0; m < mapWords; m++) {
    let bits = 0;
    const end = Math.min(row.length, (m + 1) * 32);
    for (let w = m * 32; w < end; w++) {
      const word = row[w]!;
      if (word === 0) continue;
      bits |= 1 << (w & 31);
      out[next++] = word;
    }
    out[at + 1 + m] = bits;
  }
  return next - at;
}

/**
 * Reads the record at `from[at]` into `row`, all of which it sets; returns its words, or -1 if it goes beyond `from` or has bits
 * beyond the row. Its first word is `from[at]`.
 */
export function takeRecord(from: Uint32Array, at: number, row: Uint32Array): number {
  const mapWords = bitmapWords(row.length);
  let next = at + 1 + mapWords;
  if (next > from.length) return -1;
  row.fill(0);
  for (let m = 0; m < mapWords; m++) {
    let bits = from[at + 1 + m]!;
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits);
      bits &= bits - 1;
      const place = m * 32 + bit;
      if (place >= row.length || next >= from.length) return -1;
      row[place] = from[next++]!;
    }
  }
  return next - at;
}
