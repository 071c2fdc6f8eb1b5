// Percent-encoding, up to three layers in one pass: "%41", "%2541" and "%252541" are all "A", in 3, 5 and 7 bytes; a "%" that
// begins no escape is itself. Called by text.ts and target.ts.

const DEPTH_MAX: u32 = 3;
export const PERCENT: u32 = 0x25;

/** Value of a hexadecimal digit, else 16 or more. */
// @ts-ignore: decorator
@inline
export function hexValue(byte: u32): u32 {
  const digit = byte - 0x30;
  if (digit < 10) return digit;
  const letter = (byte | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : 16;
}

/** What the "%" at `at` begins: the byte it stands for, from bit 8 on the bytes it takes, from bit 16 on its layers. */
// @ts-ignore: decorator
@inline
export function decodeAt(at: usize, end: usize): u32 {
  let byte = PERCENT;
  let layers: u32 = 0;
  for (let next = at + 1; layers < DEPTH_MAX && next + 1 < end; next += 2) {
    const high = hexValue(<u32>load<u8>(next));
    const low = hexValue(<u32>load<u8>(next + 1));
    if ((high | low) > 15) break;
    byte = (high << 4) | low;
    layers++;
    if (byte != PERCENT) break;
  }
  return byte | ((1 + 2 * layers) << 8) | (layers << 16);
}
