// A snapshot written and read back: whole, cut to a budget with the best rows kept, and refused after any damage.

import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  HEADER_WORDS,
  SNAPSHOT_VERSION,
  type SnapshotHead,
  SnapshotRefused,
} from './snapshot-format.ts';
import {
  checkSnapshot,
  type ReadBytes,
  type RestoredRow,
  type RestoreTally,
  restoreSnapshot,
} from './snapshot-read.ts';
import { type SnapshotTally, writeSnapshot } from './snapshot-write.ts';
import { type PlainState, plainState } from './testing/plain-state.ts';

const HEAD: SnapshotHead = {
  keyId: '00112233445566ff',
  owner: 'fedcba9876543210',
  replica: '0000000000000001',
  takenMs: 1_700_000_000_000,
  startedMs: 1_699_000_000_000,
};
const MAC_KEY = Uint8Array.from({ length: 16 }, (_, i) => i);
const KEYS = [{ keyId: HEAD.keyId, macKey: MAC_KEY }];
const EXPECTED = { keys: KEYS, owner: HEAD.owner, nowMs: HEAD.takenMs + 1000 };
const ROW_WORDS = 70;

function rowOf(n: number, words = ROW_WORDS): Uint32Array {
  const row = new Uint32Array(words);
  row.set([n * 2654435761, n + 1, n, 7]);
  for (let i = 4; i < words; i += 1 + (n % 5)) row[i] = Math.imul(n + 1, i) >>> 0;
  return row;
}

function write(state: PlainState, bytesMax = 2 ** 25): { file: Uint8Array; tally: SnapshotTally } {
  const pieces: Uint8Array[] = [];
  const writer = writeSnapshot(state.view, { head: HEAD, macKey: MAC_KEY, bytesMax });
  for (;;) {
    const { value, done } = writer.next();
    if (done) return { file: Buffer.concat(pieces), tally: value };
    if (value !== null) pieces.push(value);
  }
}

function readerOf(file: Uint8Array): ReadBytes {
  return (at, bytes) => file.subarray(at, at + bytes);
}

interface Restored {
  readonly rows: Map<string, { row: number[]; good: number; age: number }[]>;
  readonly region: Uint32Array;
  readonly tally: RestoreTally;
}

function restore(file: Uint8Array, layout = '00000000000000a1'): Restored {
  const read = readerOf(file);
  const rows = new Map<string, { row: number[]; good: number; age: number }[]>();
  const region = new Uint32Array(1000);
  const table = (name: string) => ({
    ...{ name, layout, rowWords: ROW_WORDS },
    restore({ words, good, age }: RestoredRow) {
      rows.set(name, [...(rows.get(name) ?? []), { row: [...words], good, age }]);
      return true;
    },
  });
  const tally = restoreSnapshot(read, checkSnapshot(read, EXPECTED), {
    tables: [table('identities'), table('addresses')],
    regions: [{ name: 'rarity', layout: '00000000000000b2', words: region }],
  });
  return { rows, region, tally };
}

function smallState(): PlainState {
  const state = plainState(
    [
      { name: 'identities', capacity: 16, rowWords: ROW_WORDS, localWords: [6] },
      { name: 'addresses', capacity: 8, rowWords: ROW_WORDS },
    ],
    { regions: [{ name: 'rarity', words: 1000 }] },
  );
  for (let n = 0; n < 5; n++) state.put('identities', rowOf(n), { seen: 100 + n, good: n });
  state.put('addresses', rowOf(9), { seen: 1, good: 1 });
  state.words[state.view.regions[0]!.at + 999] = 77;
  return state;
}

function refusalOf(file: Uint8Array, expected = EXPECTED): SnapshotRefused | null {
  try {
    checkSnapshot(readerOf(file), expected);
    return null;
  } catch (thrown) {
    if (thrown instanceof SnapshotRefused) return thrown;
    throw thrown;
  }
}

describe('a snapshot', () => {
  it('gives back rows with their good answers, best last, and regions; local words are 0', () => {
    const { rows, region, tally } = restore(write(smallState()).file);
    const identities = rows.get('identities')!;
    expect(identities.map(({ good }) => good)).toEqual([0, 1, 2, 3, 4]);
    expect(identities.map(({ age }) => age)).toEqual([4, 3, 2, 1, 0]);
    for (const { row, good } of identities) {
      const expected = [...rowOf(good)];
      expected[6] = 0;
      expect(row).toEqual(expected);
    }
    expect(rows.get('addresses')).toEqual([{ row: [...rowOf(9)], good: 1, age: 0 }]);
    expect(region[999]).toBe(77);
    expect(region.reduce((sum, word) => sum + word, 0)).toBe(77);
    expect(tally).toEqual({ rows: { identities: 5, addresses: 1 }, left: 0, otherLayout: [] });
  });

  it('keeps head and size as written', () => {
    const { file, tally } = write(smallState());
    const checked = checkSnapshot(readerOf(file), EXPECTED);
    expect(checked.head).toEqual(HEAD);
    expect(checked.bytes).toBe(file.length);
    expect(tally.bytes).toBe(file.length);
  });

  it('stays within its budget and keeps the rows that were answered well', () => {
    const state = plainState([
      { name: 'identities', capacity: 2000, rowWords: ROW_WORDS },
      { name: 'addresses', capacity: 2000, rowWords: ROW_WORDS },
    ]);
    for (let n = 0; n < 2000; n++) {
      const slot = { seen: n, good: n % 10 === 0 ? 50 : 0 };
      state.put('identities', rowOf(n), slot);
      state.put('addresses', rowOf(n), slot);
    }
    const { file, tally } = write(state, 160_000);
    expect(file.length).toBeLessThanOrEqual(160_000);
    expect(file.length).toBeGreaterThan(155_000);
    const { rows } = restore(file);
    for (const axis of ['identities', 'addresses']) {
      const kept = rows.get(axis)!;
      expect(kept.filter(({ good }) => good === 50)).toHaveLength(200);
      const others = kept.filter(({ good }) => good === 0).map(({ row }) => row[2]!);
      expect(Math.min(...others)).toBeGreaterThan(1400);
    }
    const written = tally.written['identities']! + tally.written['addresses']!;
    expect(written + tally.left).toBe(4000);
  });

  it('is refused after any single byte was changed, and wherever it is cut', () => {
    const { file } = write(smallState());
    expect(refusalOf(file)).toBeNull();
    for (let at = 0; at < file.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const changed = Uint8Array.from(file);
        changed[at] = changed[at]! ^ flip;
        expect(refusalOf(changed), `byte ${at} ^ ${flip}`).not.toBeNull();
      }
    }
    for (let length = 0; length < file.length; length++)
      expect(refusalOf(file.subarray(0, length))?.kind, `cut at ${length}`).toBe('damaged');
    expect(refusalOf(Buffer.concat([file, Buffer.of(0)]))?.kind).toBe('damaged');
  });

  it('is refused for another key, another workload, a made-up key id and a clock set back', () => {
    const { file } = write(smallState());
    const other = { keyId: 'ffffffffffffffff', macKey: MAC_KEY };
    expect(refusalOf(file, { ...EXPECTED, keys: [other] })?.kind).toBe('key');
    expect(refusalOf(file, { ...EXPECTED, keys: [other, ...KEYS] })).toBeNull();
    expect(refusalOf(file, { ...EXPECTED, owner: '0000000000000000' })?.kind).toBe('owner');
    const forged = { keyId: HEAD.keyId, macKey: new Uint8Array(16) };
    expect(refusalOf(file, { ...EXPECTED, keys: [forged] })?.kind).toBe('damaged');
    expect(refusalOf(file, { ...EXPECTED, nowMs: HEAD.takenMs - 3_600_000 })?.kind).toBe('time');
    expect(refusalOf(file, { ...EXPECTED, nowMs: HEAD.takenMs - 60_000 })).toBeNull();
  });

  it('is refused if it is of another version of the format', () => {
    const { file } = write(smallState());
    const header = new Uint32Array(Uint8Array.from(file.subarray(0, HEADER_WORDS * 4)).buffer);
    header[2] = SNAPSHOT_VERSION + 1;
    header[15] = crc32(bytesOf(header.subarray(0, 15)));
    expect(refusalOf(Buffer.concat([bytesOf(header), file.subarray(HEADER_WORDS * 4)]))?.kind).toBe(
      'version',
    );
  });

  it('leaves out what this build lays out differently, and says so', () => {
    const { rows, region, tally } = restore(write(smallState()).file, '00000000000000a2');
    expect(rows.size).toBe(0);
    expect(region[999]).toBe(77);
    expect(tally.otherLayout.toSorted()).toEqual(['addresses', 'identities']);
  });

  it('never throws anything but a refusal, whatever bytes it is given', () => {
    const { file } = write(smallState());
    const edits = fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 })), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(edits, fc.nat(file.length), (changes, length) => {
        const changed = Uint8Array.from(file);
        for (const [at, byte] of changes) changed[at] = byte;
        refusalOf(changed.subarray(0, length));
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => refusalOf(bytes) !== null));
  });
});
