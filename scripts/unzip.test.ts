// Archives made byte by byte, so that every refusal of the reader is shown with the defect it refuses.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { extractZip, readZip } from './unzip.ts';

interface Member {
  readonly name: string;
  readonly bytes: Buffer;
  readonly method: 0 | 8;
  readonly flags?: number;
}

function fields(magic: number, member: Member, packed: Buffer, central: boolean): Buffer {
  const head = Buffer.alloc(central ? 46 : 30);
  const at = central ? 8 : 6; // where the flags stand; what follows has the same order in both
  head.writeUInt32LE(magic, 0);
  head.writeUInt16LE(member.flags ?? 0, at);
  head.writeUInt16LE(member.method, at + 2);
  head.writeUInt32LE(crc32(member.bytes), at + 8);
  head.writeUInt32LE(packed.length, at + 12);
  head.writeUInt32LE(member.bytes.length, at + 16);
  head.writeUInt16LE(Buffer.byteLength(member.name), at + 20);
  return head;
}

function makeZip(members: readonly Member[], comment = ''): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const packed = member.method === 8 ? deflateRawSync(member.bytes) : member.bytes;
    const name = Buffer.from(member.name);
    const entry = fields(0x02014b50, member, packed, true);
    entry.writeUInt32LE(offset, 42);
    const piece = Buffer.concat([fields(0x04034b50, member, packed, false), name, packed]);
    local.push(piece);
    central.push(entry, name);
    offset += piece.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  return Buffer.concat([...local, directory, end, Buffer.from(comment)]);
}

const TEXT = Buffer.from('a picket stands before the gate\n'.repeat(40));

describe('readZip', () => {
  it('reads stored and deflated entries, leaves folders out, sees past a comment', () => {
    const zip = makeZip(
      [
        { name: 'a/', bytes: Buffer.alloc(0), method: 0 },
        { name: 'a/stored', bytes: TEXT, method: 0 },
        { name: 'a/deflated', bytes: TEXT, method: 8 },
      ],
      'a comment',
    );
    const entries = readZip(zip);
    expect(entries.map((entry) => entry.name)).toEqual(['a/stored', 'a/deflated']);
    for (const entry of entries) expect(entry.read().equals(TEXT)).toBe(true);
  });

  it('refuses what is no archive, and an encrypted entry', () => {
    expect(() => readZip(Buffer.from('hello'))).toThrow('no end-of-central-directory');
    expect(() => readZip(makeZip([{ name: 'x', bytes: TEXT, method: 0, flags: 1 }]))).toThrow('x: encrypted');
  });

  it('refuses a changed byte and a directory that is not there', () => {
    const changed = makeZip([{ name: 'x', bytes: TEXT, method: 0 }]);
    changed[40] = changed[40]! ^ 1;
    expect(() => readZip(changed)[0]!.read()).toThrow('x: wrong checksum');
    const lost = makeZip([{ name: 'x', bytes: TEXT, method: 8 }]);
    lost.writeUInt32LE(3, lost.length - 6);
    expect(() => readZip(lost)).toThrow('entry 0 of 1 is missing');
  });
});

describe('extractZip', () => {
  it('writes what is asked for and refuses a path that leaves the folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'picket-unzip-'));
    try {
      const zip = makeZip([
        { name: 'deep/one', bytes: TEXT, method: 8 },
        { name: 'two', bytes: TEXT, method: 8 },
      ]);
      expect(extractZip(zip, folder, (name) => (name === 'two' ? undefined : 'bin/one'))).toBe(1);
      expect(readFileSync(join(folder, 'bin/one')).equals(TEXT)).toBe(true);
      expect(() => extractZip(zip, folder, (name) => `../${name}`)).toThrow('leaves its folder');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
