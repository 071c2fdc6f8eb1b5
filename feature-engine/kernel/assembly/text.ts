// Lexical features of one text: entropy, classes of bytes, delimiters, words of the lexicon, depth of percent-encoding, longest
// token, steps upwards. Escapes are decoded first, up to three layers in one pass ("%252541" is "A" and costs three steps); words
// and tokens are then found 16 bytes at a time, entropy and classes byte by byte. Linear in the text whatever it holds; judges
// nothing. Loads reach up to 23 bytes over the end of a text: every region that holds one is padded. Called by head.ts.

import { digits, entropy, highs, marks, prepareEntropy, symbols, uppers } from './entropy';
import { decodeAt, PERCENT } from './escapes';
import { isWord, WORD_BYTES_MAX, wordMayBeKnown } from './words';

/** Texts are read up to here. */
export const TEXT_BYTES_MAX: usize = 32_768;
const PAD: usize = 64;

/** Numbers of a text, 48 bytes: f32 entropy, shares of digits, upper case and symbols. */
export const SHARES: usize = 0;
/** f32 share of high bytes, depth of encoding, 0, 0. */
export const LEVELS: usize = 16;
/** i32 delimiters, words of the lexicon, steps upwards, longest token. */
export const COUNTS: usize = 32;
export const TEXT_NUMBERS: usize = 48;

/** Decoded text. */
let scratch: usize = 0;

export const SCRATCH_BYTES: usize = TEXT_BYTES_MAX + PAD;

export function configureText(scratchAt: usize): void {
  scratch = scratchAt;
  prepareEntropy();
}

let decodedDepth: u32 = 0;

/** Decodes [start, end) into the scratch; the end of what was written. */
function decode(start: usize, end: usize): usize {
  let out = scratch;
  let depth: u32 = 0;
  while (start < end) {
    let byte = <u32>load<u8>(start);
    if (byte == PERCENT) {
      byte = decodeAt(start, end);
      start += (byte >>> 8) & 0xff;
      depth = max<u32>(depth, byte >>> 16);
    } else start++;
    store<u8>(out++, <u8>byte);
  }
  decodedDepth = depth;
  return out;
}

/** Bytes of `x` in a range of `size` from `first`. */
// @ts-ignore: decorator
@inline
function within(x: v128, first: i8, size: i8): v128 {
  return i8x16.lt_u(i8x16.sub(x, i8x16.splat(first)), i8x16.splat(size));
}

// @ts-ignore: decorator
@inline
function equals(x: v128, byte: i8): v128 {
  return i8x16.eq(x, i8x16.splat(byte));
}

// @ts-ignore: decorator
@inline
function bits(found: v128, shift: usize): u64 {
  return (<u64>i8x16.bitmask(found)) << (<u64>shift);
}

// @ts-ignore: decorator
@inline
function letters(x: v128): v128 {
  return within(v128.or(x, i8x16.splat(0x20)), 0x61, 26);
}

/** A bit for each of the `left` bytes from the start of a block. */
// @ts-ignore: decorator
@inline
function blockMask(left: usize): u64 {
  return left >= 64 ? -1 : ((<u64>1) << (<u64>left)) - 1;
}

/** The end of the word at `at`, read byte by byte: for one that reaches the end of its block. */
function wordEnd(at: usize, end: usize): usize {
  const last = end - at > WORD_BYTES_MAX + 1 ? at + WORD_BYTES_MAX + 1 : end;
  for (; at < last; at++) {
    const byte = <u32>load<u8>(at);
    if ((byte | 0x20) - 0x61 >= 26 && byte != 0x5f) break;
  }
  return at;
}

let knownWords: u32 = 0;
let steps: u32 = 0;

/** Counts known words and steps upwards; false at the first "%", if there may be none (`decoded`: there may). */
// @ts-ignore: decorator
@inline
function readWords(start: usize, end: usize, decoded: bool): bool {
  let before: u64 = 0;
  let dotBefore: u64 = 0;
  let twoDots: u64 = 0;
  knownWords = 0;
  for (let at = start; at < end; at += 64) {
    let word: u64 = 0;
    let dot: u64 = 0;
    let percent: u64 = 0;
    const left = end - at;
    const size = min<usize>(left, 64);
    for (let i: usize = 0; i < size; i += 16) {
      const x = v128.load(at + i);
      word |= bits(v128.or(letters(x), equals(x, 0x5f)), i);
      dot |= bits(equals(x, 0x2e), i);
      percent |= bits(equals(x, 0x25), i);
    }
    const keep = blockMask(left);
    if (!decoded && (percent & keep) != 0) return false;
    word &= keep;
    dot &= keep;
    twoDots |= dot & ((dot << 1) | dotBefore);
    dotBefore = dot >>> 63;
    // A word of the lexicon has two letters or more, the second one perhaps in the next block.
    let starts = word & ~((word << 1) | before) & ((word >>> 1) | ((<u64>1) << 63));
    before = word >>> 63;
    for (; starts != 0; starts &= starts - 1) {
      const first = ctz<u64>(starts);
      const from = at + <usize>first;
      const length = ctz<u64>(~(word >>> first));
      const to = first + length < 64 ? from + <usize>length : wordEnd(from, end);
      if (wordMayBeKnown(from, to)) knownWords += isWord(from, to);
    }
  }
  steps = twoDots == 0 ? 0 : countSteps(start, end);
  return true;
}

/** How often the text holds "../" or "..\". */
function countSteps(start: usize, end: usize): u32 {
  let found: u32 = 0;
  let dots: u32 = 0;
  for (let at = start; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (byte == 0x2e) dots++;
    else {
      found += <u32>(dots >= 2 && (byte == 0x2f || byte == 0x5c));
      dots = 0;
    }
  }
  return found;
}

/** Bytes of the longest run of letters and digits. */
// @ts-ignore: decorator
@inline
function longestToken(start: usize, end: usize): u32 {
  let longest: u32 = 0;
  let run: u32 = 0;
  for (let at = start; at < end; at += 64) {
    const size = <u32>min<usize>(end - at, 64);
    let token: u64 = 0;
    for (let i: usize = 0; i < <usize>size; i += 16) {
      const x = v128.load(at + i);
      token |= bits(v128.or(letters(x), within(x, 0x30, 10)), i);
    }
    token &= blockMask(end - at);
    // Runs of ones and zeros in turn; the last one of a block may go on in the next.
    for (let done: u32 = 0; done < size; ) {
      const ones = min<u32>(<u32>ctz<u64>(~token), 64);
      run += ones;
      done += ones;
      if (done >= size) break;
      longest = max<u32>(longest, run);
      run = 0;
      token >>>= <u64>ones;
      const zeros = <u32>ctz<u64>(token);
      done += zeros;
      token >>>= <u64>zeros;
      if (token == 0) break;
    }
  }
  return max<u32>(longest, run);
}

function write(start: usize, end: usize, into: usize, depth: u32, tokens: bool): void {
  const length = <u32>(end - start);
  const per = length == 0 ? 0.0 : 1 / <f64>length;
  store<f32>(into, <f32>entropy(start, end, per), SHARES);
  store<f32>(into, <f32>(<f64>digits * per), SHARES + 4);
  store<f32>(into, <f32>(<f64>uppers * per), SHARES + 8);
  store<f32>(into, <f32>(<f64>symbols * per), SHARES + 12);
  store<f32>(into, <f32>(<f64>highs * per), LEVELS);
  store<f32>(into, <f32>depth, LEVELS + 4);
  store<u64>(into, 0, LEVELS + 8);
  store<u32>(into, marks, COUNTS);
  store<u32>(into, knownWords, COUNTS + 4);
  store<u32>(into, steps, COUNTS + 8);
  store<u32>(into, tokens ? longestToken(start, end) : 0, COUNTS + 12);
}

/** Reads [start, end), at most TEXT_BYTES_MAX bytes of it, and writes its numbers to `into`; `tokens`: also the longest token. */
export function readText(start: usize, end: usize, into: usize, tokens: bool): void {
  if (end - start > TEXT_BYTES_MAX) end = start + TEXT_BYTES_MAX;
  if (readWords(start, end, false)) {
    write(start, end, into, 0, tokens);
    return;
  }
  const last = decode(start, end);
  readWords(scratch, last, true);
  write(scratch, last, into, decodedDepth, tokens);
}
