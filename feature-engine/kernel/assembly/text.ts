// Lexical features of one text: entropy, classes of bytes, delimiters, words of the lexicon, depth of percent-encoding, longest
// token, steps upwards. Escapes are decoded first, up to three layers in one pass ("%252541" is "A" and costs three steps), then
// the decoded text is read 16 bytes at a time for everything but the entropy, whose histogram takes one step a byte. Linear in the
// text whatever it holds; judges nothing. Loads reach up to 23 bytes over the end of a text: every region that holds one is padded.
// Called by head.ts.

import { log2 } from './log2';
import { isWord, WORD_BYTES_MAX, wordMayBeKnown } from './words';

/** Texts are read up to here. */
export const TEXT_BYTES_MAX: usize = 32_768;
const PAD: usize = 64;
const DEPTH_MAX: u32 = 3;
const PERCENT: u32 = 0x25;

/** Numbers of a text, 48 bytes: f32 entropy, shares of digits, upper case, symbols | f32 share of high bytes, depth, 0, 0 | i32. */
export const SHARES: usize = 0;
export const LEVELS: usize = 16;
/** i32 delimiters, words of the lexicon, steps upwards, longest token. */
export const COUNTS: usize = 32;
export const TEXT_NUMBERS: usize = 48;

/** n * log2(n) for n up to 1024. */
const N_LOG_N_MAX: u32 = 1024;
const nLogN: usize = memory.data(8200, 64);

/** In fixed point of 43 bits: how much (n + 1) * log2(n + 1) is over n * log2(n), for n up to 1023. */
const FIXED_ONE: f64 = 8796093022208;
const growth: usize = memory.data(8192, 64);
/** u16: 8 times the occurrences of each byte, all 0 between texts. */
const counts: usize = memory.data(512, 64);

/** Of longer texts: occurrences of each byte, all 0 between texts; and the bytes that occurred, in the order of their first time. */
const histogram: usize = memory.data(1024, 64);
const distinct: usize = memory.data(264, 64);
/** What a byte adds to the five counts of 12 bits: digits, upper case, symbols, high bytes, delimiters. */
const lanes: usize = memory.data(2048, 64);
const LANE_MAX: usize = 4095;
/** Decoded text. */
let scratch: usize = 0;

export const SCRATCH_BYTES: usize = TEXT_BYTES_MAX + PAD;

export function configureText(scratchAt: usize): void {
  scratch = scratchAt;
  for (let n: u32 = 1; n <= N_LOG_N_MAX; n++) store<f64>(nLogN + (<usize>n << 3), <f64>n * log2(<f64>n));
  for (let n: u32 = 0; n < N_LOG_N_MAX; n++)
    store<u64>(growth + (<usize>n << 3), fixed(n + 1) - fixed(n));
  for (let byte: u32 = 0; byte < 256; byte++) {
    let lane: u64 = 0;
    if (byte - 0x30 < 10) lane = 1;
    else if (byte - 0x41 < 26) lane = 1 << 12;
    else if (byte - 0x61 >= 26) lane = byte - 0x20 < 95 ? 1 << 24 : (<u64>1) << 36;
    if (isDelimiter(byte)) lane |= (<u64>1) << 48;
    store<u64>(lanes + (<usize>byte << 3), lane);
  }
}

/** n * log2(n) in fixed point. */
// @ts-ignore: decorator
@inline
function fixed(n: u32): u64 {
  return <u64>(load<f64>(nLogN + (<usize>n << 3)) * FIXED_ONE + 0.5);
}

/** One of ' " ; < > ( ) | ` $ { } \ */
function isDelimiter(byte: u32): bool {
  if (byte < 0x40)
    return byte == 0x22 || byte == 0x24 || (byte - 0x27 < 3) || byte == 0x3b || byte == 0x3c || byte == 0x3e;
  return byte == 0x5c || byte == 0x60 || byte - 0x7b < 3;
}

/** Value of a hexadecimal digit, else 16 or more. */
// @ts-ignore: decorator
@inline
export function hexValue(byte: u32): u32 {
  const digit = byte - 0x30;
  if (digit < 10) return digit;
  const letter = (byte | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : 16;
}

let decodedDepth: u32 = 0;

/** Decodes [start, end) into the scratch; the end of what was written. */
function decode(start: usize, end: usize): usize {
  let out = scratch;
  let depth: u32 = 0;
  while (start < end) {
    let byte = <u32>load<u8>(start++);
    if (byte == PERCENT) {
      for (let layer: u32 = 1; layer <= DEPTH_MAX; layer++) {
        if (start + 1 >= end) break;
        const high = hexValue(<u32>load<u8>(start));
        const low = hexValue(<u32>load<u8>(start + 1));
        if ((high | low) > 15) break;
        byte = (high << 4) | low;
        start += 2;
        if (layer > depth) depth = layer;
        if (byte != PERCENT) break;
      }
    }
    store<u8>(out++, <u8>byte);
  }
  decodedDepth = depth;
  return out;
}

// @ts-ignore: decorator
@inline
function nLog2(n: u32): f64 {
  return n <= N_LOG_N_MAX ? load<f64>(nLogN + (<usize>n << 3)) : <f64>n * log2(<f64>n);
}

/** What the last count() found: bytes of each class. */
let digits: u32 = 0;
let uppers: u32 = 0;
let symbols: u32 = 0;
let highs: u32 = 0;
let marks: u32 = 0;

// @ts-ignore: decorator
@inline
function addLanes(sums: u64): void {
  digits += <u32>sums & 0xfff;
  uppers += <u32>(sums >>> 12) & 0xfff;
  symbols += <u32>(sums >>> 24) & 0xfff;
  highs += <u32>(sums >>> 36) & 0xfff;
  marks += <u32>(sums >>> 48);
}

/**
 * Counts the bytes of a text of up to 1024 bytes by class; its entropy in bits. The sum of n * log2(n) grows with each byte, in
 * fixed point, so it needs no second pass over the kinds of bytes and does not depend on their order.
 */
// @ts-ignore: decorator
@inline
function count(start: usize, end: usize, per: f64): f64 {
  let sums: u64 = 0;
  let sum: u64 = 0;
  for (let at = start; at < end; at++) {
    const byte = <usize>load<u8>(at);
    const place = counts + (byte << 1);
    const seen = <usize>load<u16>(place);
    sum += load<u64>(growth + seen);
    sums += load<u64>(lanes + (byte << 3));
    store<u16>(place, <u16>(seen + 8));
  }
  const zero = i64x2.splat(0);
  for (let i: usize = 0; i < 512; i += 64) {
    v128.store(counts + i, zero);
    v128.store(counts + i, zero, 16);
    v128.store(counts + i, zero, 32);
    v128.store(counts + i, zero, 48);
  }
  digits = uppers = symbols = highs = marks = 0;
  addLanes(sums);
  const all = fixed(<u32>(end - start));
  return <f64>(<i64>(all - sum)) * (1 / FIXED_ONE) * per;
}

/** The same for longer texts: counted, then summed in the order in which their bytes occurred first. */
function countLong(start: usize, end: usize, per: f64): f64 {
  let kinds: usize = 0;
  digits = uppers = symbols = highs = marks = 0;
  for (let at = start; at < end; ) {
    const stop = end - at > LANE_MAX ? at + LANE_MAX : end;
    let sums: u64 = 0;
    for (; at < stop; at++) {
      const byte = <usize>load<u8>(at);
      const place = histogram + (byte << 2);
      const seen = load<u32>(place);
      sums += load<u64>(lanes + (byte << 3));
      store<u32>(place, seen + 1);
      store<u8>(distinct + kinds, <u8>byte);
      kinds += <usize>(seen == 0);
    }
    addLanes(sums);
  }
  let sum: f64 = 0;
  for (let i: usize = 0; i < kinds; i++) {
    const place = histogram + (<usize>load<u8>(distinct + i) << 2);
    sum += nLog2(load<u32>(place));
    store<u32>(place, 0);
  }
  return max<f64>(0, (nLog2(<u32>(end - start)) - sum) * per);
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
  store<f32>(into, <f32>(length > N_LOG_N_MAX ? countLong(start, end, per) : count(start, end, per)), SHARES);
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
