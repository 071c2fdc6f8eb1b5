// Damaged and hostile bundles: every byte changed, every truncation, and the same with digest and checksum
// made right again, so that the deep checks meet them. Each must end in a BUNDLE_ code, or score like the
// reference without a trap (debug build, with asserts).

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import { type Random, seededRandom } from '../../domain/random.ts';
import { type Bundle, packBundle, parseBundle } from '../../wasm-core/host/bundle.ts';
import { HEADER, HEADER_BYTES, SECTION_BYTES, SIGN_BYTES } from '../../wasm-core/host/bundle-format.ts';
import { Core } from '../../wasm-core/host/core.ts';
import { crc32c } from '../../wasm-core/host/crc32c.ts';
import { slotCount } from '../../wasm-core/host/ensemble.ts';
import { offeredByName, prepareBundle } from '../../wasm-core/host/prepare.ts';
import { referenceSlots } from '../../wasm-core/host/reference.ts';
import { LAX, smallSpec } from '../../wasm-core/testing/test-bundle.ts';

const ORIGINAL = packBundle(smallSpec(1));
/** Not the bundle's bytes but a bug of ours: these codes must not come up. */
const OURS = ['CORE_TRAP', 'INTERNAL'];

/** Makes schema id, digest and checksum fit the changed content: what an attacker without a key can do. */
function reseal(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  const signAt = Math.max(HEADER_BYTES, bytes.length - SIGN_BYTES);
  const schemaAt = Number(view.getBigUint64(HEADER_BYTES + 8, true) & 0xffffffn);
  const schemaBytes = Number(view.getBigUint64(HEADER_BYTES + 16, true) & 0xffffffn);
  const schema = bytes.subarray(schemaAt, schemaAt + schemaBytes);
  bytes.set(createHash('sha256').update(schema).digest().subarray(0, 16), HEADER.schemaId);
  bytes.set(createHash('sha256').update(bytes.subarray(HEADER_BYTES, signAt)).digest(), HEADER.sha256);
  view.setUint32(HEADER.crc, crc32c(bytes.subarray(0, HEADER.crc)), true);
  return bytes;
}

/** The bundle with golden rows that say what its own trees give, so that the kernels get to run on them. */
function selfConsistent(bundle: Bundle): Bundle {
  const width = bundle.features.length;
  const rows = Array.from({ length: bundle.golden.rows }, (_, row) =>
    referenceSlots(bundle.detectors, bundle.golden.features.subarray(row * width, (row + 1) * width)),
  );
  const slots = new Float64Array(rows.length * slotCount(bundle.detectors));
  for (const [i, row] of rows.entries()) slots.set(row, i * row.length);
  return { ...bundle, golden: { ...bundle.golden, slots } };
}

/** Parses, prepares with both kernels, scores; the code it ended with, or 'scored'. Anything uncoded is thrown on. */
function meet(bytes: Uint8Array, core: Core): string {
  try {
    const bundle = selfConsistent(parseBundle(bytes, LAX));
    const offered = offeredByName(bundle.features.map((feature) => feature.name));
    for (const rowTableMaxBytes of [0, 65536]) {
      const prepared = prepareBundle(bundle, offered, {
        rowTableMaxBytes,
        arenaBytes: 262144,
        variant: 'debug',
      });
      core.stage(prepared);
      core.warmUp(1);
      core.activate();
    }
    return 'scored';
  } catch (error) {
    if (error instanceof PicketError && !OURS.includes(error.code)) return error.code;
    throw error;
  }
}

function changed(change: (copy: Uint8Array) => void): Uint8Array {
  const copy = ORIGINAL.slice();
  change(copy);
  return copy;
}

describe('as it comes', () => {
  test('every byte changed in three ways: refused as corrupt', () => {
    const codes = new Set<string>();
    for (let at = 0; at < ORIGINAL.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        try {
          parseBundle(
            changed((copy) => copy.set([copy[at]! ^ flip], at)),
            LAX,
          );
          throw new Error(`byte ${at} ^ ${flip} was accepted`);
        } catch (error) {
          if (!(error instanceof PicketError)) throw error;
          codes.add(error.code);
        }
      }
    }
    expect([...codes].sort()).toEqual(['BUNDLE_CORRUPT']);
  });

  test('every truncation and some extensions', () => {
    for (let length = 0; length < ORIGINAL.length; length++) {
      expect(() => parseBundle(ORIGINAL.subarray(0, length), LAX)).toThrow(PicketError);
    }
    for (const more of [1, 63, 64, 5000]) {
      const longer = new Uint8Array(ORIGINAL.length + more);
      longer.set(ORIGINAL);
      expect(() => parseBundle(longer, LAX)).toThrow(PicketError);
    }
  });
});

/** Runs one case after another; collects how each ended. */
function run(cases: Iterable<Uint8Array>): Map<string, number> {
  const core = new Core({ arenaBytes: 262144, variant: 'debug' });
  const ends = new Map<string, number>();
  for (const bytes of cases) {
    const end = meet(reseal(bytes), core);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  return ends;
}

const WORDS = [0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 4096, 65536];

function* wordCases(): Generator<Uint8Array> {
  for (let at = 0; at + 4 <= ORIGINAL.length - SIGN_BYTES; at += 4) {
    for (const word of WORDS) yield changed((copy) => new DataView(copy.buffer).setUint32(at, word, true));
  }
}

function* bitCases(random: Random, count: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    yield changed((copy) => {
      for (let k = 1 + random.int(3); k > 0; k--) {
        const at = HEADER_BYTES + random.int(copy.length - HEADER_BYTES - SIGN_BYTES);
        copy[at] = copy[at]! ^ (1 << random.int(8));
      }
    });
  }
}

/** One whole section overwritten with random bytes, or with another part of the file. */
function* sectionCases(random: Random, count: number): Generator<Uint8Array> {
  const view = new DataView(ORIGINAL.buffer);
  const sections = view.getUint32(HEADER.sectionCount, true) - 1;
  for (let i = 0; i < count; i++) {
    const entry = HEADER_BYTES + random.int(sections) * SECTION_BYTES;
    const start = Number(view.getBigUint64(entry + 8, true));
    const length = Number(view.getBigUint64(entry + 16, true));
    yield changed((copy) => {
      const from = random.int(ORIGINAL.length - length);
      const copied = i % 2 === 0;
      for (let k = 0; k < length; k++) copy[start + k] = copied ? ORIGINAL[from + k]! : random.int(256);
    });
  }
}

describe('with digest and checksum made right again', () => {
  test('every aligned word replaced by a number that hurts', () => {
    const ends = run(wordCases());
    expect(ends.get('scored')).toBeGreaterThan(100);
    expect(ends.get('BUNDLE_MODEL')).toBeGreaterThan(100);
    expect(ends.get('BUNDLE_TOO_LARGE')).toBeGreaterThan(10);
  }, 60_000);

  test.each([11, 12])(
    'random bits, seed %i',
    (seed) => {
      const ends = run(bitCases(seededRandom(seed), 1500));
      expect(ends.get('scored')).toBeGreaterThan(50);
    },
    60_000,
  );

  test('whole sections replaced, seed 13', () => {
    const ends = run(sectionCases(seededRandom(13), 400));
    expect(ends.get('BUNDLE_CORRUPT')).toBeGreaterThan(50);
  }, 60_000);
});
