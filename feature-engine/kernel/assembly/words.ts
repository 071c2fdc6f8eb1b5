// Two small word lists, which the host fills at start: the lexicon (words of attack languages) and the names of headers without
// free text. Words are compared whole, in lower case; nothing is guessed by a hash. Called by text.ts and head.ts.

/*
 *  lexicon slot, 32 bytes: u64 first 8 letters | u64 next 8 | u64 the rest | u32 length, 0 = empty
 *  name, 24 bytes: u64 first 8 bytes | u64 last 8 (they overlap) | u64 bytes 8 to 15 of names over 16, else 0
 */
export const WORD_BYTES_MAX: usize = 24;
const SLOTS: usize = 512;
const SLOT_BYTES: usize = 32;
const slots: usize = memory.data(16384, 64);
/** By the first two letters, 5 bits each: a bit for each length of a word that begins so. */
const lengths: usize = memory.data(4096, 64);

const NAMES_PER_LENGTH: u32 = 4;
const NAME_BYTES: usize = 24;
const names: usize = memory.data(3072, 64);
const nameCounts: usize = memory.data(32, 64);

const LOWER: u64 = 0x2020202020202020;

/** The bytes of [at, end) from its byte `from` on, at most 8, in lower case; the rest is 0. */
// @ts-ignore: decorator
@inline
function letters(at: usize, end: usize, from: usize): u64 {
  const length = end - at;
  if (length <= from) return 0;
  const word = load<u64>(at + from) | LOWER;
  const left = length - from;
  return left >= 8 ? word : word & (((<u64>1) << (<u64>left << 3)) - 1);
}

// @ts-ignore: decorator
@inline
function slotOf(first: u64, next: u64): usize {
  return <usize>(((first ^ rotl<u64>(next, 29)) * 0x9e3779b97f4a7c15) >>> 55);
}

// @ts-ignore: decorator
@inline
function pairOf(at: usize): usize {
  return lengths + (((<usize>(load<u8>(at) & 31) << 5) | <usize>(load<u8>(at + 1) & 31)) << 2);
}

/** Adds a word of 2 to 24 letters and "_" to the lexicon; 0 if it is too long or there is no room. For the start. */
export function addLexiconWord(at: usize, end: usize): u32 {
  const length = end - at;
  if (length < 2 || length > WORD_BYTES_MAX) return 0;
  const first = letters(at, end, 0);
  const next = letters(at, end, 8);
  let slot = slotOf(first, next);
  for (let tries: usize = 0; tries < SLOTS; tries++) {
    const place = slots + slot * SLOT_BYTES;
    if (load<u32>(place, 24) == 0) {
      store<u64>(place, first);
      store<u64>(place, next, 8);
      store<u64>(place, letters(at, end, 16), 16);
      store<u32>(place, <u32>length, 24);
      store<u32>(pairOf(at), load<u32>(pairOf(at)) | (1 << <u32>length));
      return 1;
    }
    slot = (slot + 1) & (SLOTS - 1);
  }
  return 0;
}

/** Does a word of the lexicon begin with the same two letters and have the same length? */
// @ts-ignore: decorator
@inline
export function wordMayBeKnown(at: usize, end: usize): bool {
  const length = end - at;
  return length <= WORD_BYTES_MAX && ((load<u32>(pairOf(at)) >>> <u32>length) & 1) != 0;
}

/** 1 if the run of letters and "_" in [at, end), at most 24, is a word of the lexicon. */
export function isWord(at: usize, end: usize): u32 {
  const first = letters(at, end, 0);
  const next = letters(at, end, 8);
  const rest = letters(at, end, 16);
  let slot = slotOf(first, next);
  let place = slots + slot * SLOT_BYTES;
  let length = load<u32>(place, 24);
  while (length != 0) {
    if (
      length == <u32>(end - at) &&
      load<u64>(place) == first &&
      load<u64>(place, 8) == next &&
      load<u64>(place, 16) == rest
    )
      return 1;
    slot = (slot + 1) & (SLOTS - 1);
    place = slots + slot * SLOT_BYTES;
    length = load<u32>(place, 24);
  }
  return 0;
}

let firstBytes: u64 = 0;
let lastBytes: u64 = 0;

/** Reads both ends of a name in lower case, as names are kept. */
// @ts-ignore: decorator
@inline
function readName(at: usize, length: usize): void {
  if (length >= 8) {
    firstBytes = load<u64>(at) | LOWER;
    lastBytes = load<u64>(at + length - 8) | LOWER;
  } else if (length >= 4) {
    firstBytes = <u64>load<u32>(at) | LOWER;
    lastBytes = <u64>load<u32>(at + length - 4) | LOWER;
  } else {
    firstBytes = <u64>load<u8>(at) | (<u64>load<u8>(at + (length >> 1)) << 8) | LOWER;
    lastBytes = <u64>load<u8>(at + length - 1) | LOWER;
  }
}

/** Adds a name of 1 to 24 bytes to those left out; 0 if it is too long or there is no room. For the start. */
export function addPlainName(at: usize, end: usize): u32 {
  const length = end - at;
  const count = <u32>load<u8>(nameCounts + length);
  if (length == 0 || length > 24 || count == NAMES_PER_LENGTH) return 0;
  readName(at, length);
  const place = names + (length * NAMES_PER_LENGTH + count) * NAME_BYTES;
  store<u64>(place, firstBytes);
  store<u64>(place, lastBytes, 8);
  store<u64>(place, length > 16 ? load<u64>(at + 8) | LOWER : 0, 16);
  store<u8>(nameCounts + length, <u8>(count + 1));
  return 1;
}

/** Is the field name in [at, end), in any case, one of those left out? */
// @ts-ignore: decorator
@inline
export function isPlainName(at: usize, end: usize): bool {
  const length = end - at;
  if (length > 24) return false;
  const count = <u32>load<u8>(nameCounts + length);
  if (count == 0) return false;
  readName(at, length);
  const middle = length > 16 ? load<u64>(at + 8) | LOWER : 0;
  let place = names + length * NAMES_PER_LENGTH * NAME_BYTES;
  for (let i: u32 = 0; i < count; i++, place += NAME_BYTES)
    if (load<u64>(place) == firstBytes && load<u64>(place, 8) == lastBytes && load<u64>(place, 16) == middle)
      return true;
  return false;
}
