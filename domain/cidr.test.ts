// Address literals and blocks, against node:net and node:net.BlockList as oracles.

import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidrContains, parseAddress, parseCidr } from './cidr.ts';

describe('parseAddress', () => {
  it('agrees with node:net on what is an address', () => {
    const odd = [
      '',
      '1.2.3',
      '1.2.3.256',
      '01.2.3.4',
      '::',
      '::1',
      '1::2::3',
      ':1',
      '1:',
      '::ffff:1.2.3.4',
      '1:2:3:4:5:6:7:8',
    ];
    const cases = [
      ...odd,
      '1:2:3:4:5:6:7::',
      '1:2:3:4:5:6:7:8:9',
      '::1.2.3.4:1',
      'g::',
      '12345::',
      'fe80::1%eth0',
    ];
    for (const text of cases) {
      const expected = isIP(text) !== 0 && !text.includes('%');
      expect([text, parseAddress(text) !== null]).toEqual([text, expected]);
    }
  });

  it('agrees with node:net on random addresses and near misses', () => {
    const near = fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.'), maxLength: 24 });
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), near), (text) => {
        expect(parseAddress(text) !== null).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('maps IPv4 onto its IPv6 form', () => {
    expect(parseAddress('10.1.2.3')).toEqual(parseAddress('::ffff:10.1.2.3'));
  });
});

describe('cidr', () => {
  it('refuses host bits, bad lengths and text around', () => {
    for (const text of [
      '10.0.0.1/8',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      'x/8',
      '10.0.0.0/-1',
    ]) {
      expect([text, parseCidr(text)]).toEqual([text, null]);
    }
  });

  it('contains what BlockList contains', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (a, b, bits) => {
        const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0;
        const number = a.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
        const base = [24, 16, 8, 0].map((shift) => ((number & mask) >>> shift) & 255).join('.');
        const list = new BlockList();
        list.addSubnet(base, bits);
        const cidr = parseCidr(`${base}/${bits}`);
        const address = parseAddress(b);
        expect(cidr !== null && address !== null && cidrContains(cidr, address)).toBe(list.check(b));
      }),
    );
  });

  it('keeps IPv6 and IPv4 apart', () => {
    const all6 = parseCidr('2000::/3');
    const four = parseAddress('32.0.0.1');
    expect(all6 !== null && four !== null && cidrContains(all6, four)).toBe(false);
  });
});
