// The head kernels against the plain reading of the definitions, to the last bit: random and hostile heads, cold and warm caches,
// both variants. What the features are for: lexical.test.ts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEAD_VIEW_BYTES, HeadView } from '../../domain/head-view.ts';
import { LEXICON_WORDS, PLAIN_HEADERS } from '../lexicon.ts';
import { looksLikeId } from '../route-template.ts';
import { hashBytes } from '../sketch.ts';
import { type DrawnHead, fillHead, HeadReader, SEED } from '../testing/head-reader.ts';
import { plainFamily, plainLexical, plainObject, plainTarget, plainText } from '../testing/plain-head.ts';
import { HEAD_CALL } from './head-kernels.ts';
import { BODY_PREFIX_MAX_BYTES } from './head-memory.ts';

/** What the kernels must find and write, by the plain reading. */
function wanted(head: HeadView) {
  const target = head.text(head.targetStart, head.targetEnd);
  const path = head.text(head.targetStart, head.pathEnd);
  const shape = plainTarget(path, target.slice(path.length + 1));
  const { bytes, userAgentField: field } = head;
  const agent = field < 0 ? '' : head.text(head.valueStart(field), head.valueEnd(field));
  const { method } = head;
  const request = [
    ...[method < 3, method === 3, method === 4 || method === 5, method === 6].map(Number),
    path.length,
    shape.segments,
    Math.max(target.length - path.length - 1, 0),
    shape.queryParams,
    head.fieldCount,
    head.fieldBytes,
    Math.fround(head.contentLength),
    target.length === 0 ? 0 : Math.fround(shape.encodedBytes / target.length),
    shape.oddBytes,
    Number(shape.rewritten),
    1,
    field < 0 ? Number.NaN : agent.length,
  ];
  return {
    features: [...request, ...plainLexical(head)],
    found: {
      path: hashBytes(bytes, head.targetStart, head.pathEnd, SEED) || 1,
      agent: field < 0 ? 0 : hashBytes(bytes, head.valueStart(field), head.valueEnd(field), SEED) || 1,
      family: field < 0 ? 0 : plainFamily(agent),
      rewritten: shape.rewritten,
      object: plainObject(head, SEED),
    },
  };
}

const PIECES = [
  ...[
    'a',
    'Z',
    '7',
    '/',
    '..',
    '.',
    "'",
    '<',
    '?',
    '&',
    '=',
    '&&',
    'id=5',
    '//',
    '\\',
    ';',
    '_',
    '-',
    '~',
    ' ',
  ],
  ...[
    '%41',
    '%2e',
    '%252e',
    '%25252e',
    '%25',
    '%',
    '%zz',
    '%4',
    '%2f',
    '%5c',
    'select',
    'é',
    '\x00',
    '\x7f',
    '\xff',
  ],
  ...[
    '/123',
    '/deadbeefdeadbeef',
    '/a8f3k2m9',
    '/123e4567-e89b-12d3-a456-426614174000',
    '0123456789',
    '\x24{}',
  ],
];
const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const piece = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...PIECES) },
  fc.constantFrom(...LEXICON_WORDS),
  byte,
);
const text = (maxLength: number) => fc.array(piece, { maxLength }).map((parts) => parts.join(''));
const name = fc.oneof(
  fc.constantFrom(
    ...PLAIN_HEADERS,
    'HOST',
    'Content-LENGTH',
    'xost',
    'if-none-matcx',
    'transfer-xncoding',
    'tx',
    'x',
  ),
  fc.constantFrom('cookie', 'user-agent', 'accept', 'accept-encoding', 'x'.repeat(40)),
);
const drawnHead = (size: number): fc.Arbitrary<DrawnHead> =>
  fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'BREW'),
    target: fc.oneof({ weight: 9, arbitrary: text(size).map((rest) => `/${rest}`) }, text(size)),
    fields: fc.array(fc.tuple(name, text(size)), { maxLength: 9 }),
    agent: fc.integer({ min: -1, max: 9 }),
  });

function expectSame(reader: HeadReader, head: HeadView): void {
  const { features, found } = wanted(head);
  expect([...reader.out.subarray(0, features.length)]).toEqual(features);
  expect(reader.found).toEqual(found);
}

describe.each(['release', 'debug'] as const)('head kernels (%s)', (variant) => {
  const reader = new HeadReader(variant);

  it.each([
    [12, 600],
    [120, 60],
  ])('equal the plain reading, heads of pieces up to %i', (size, numRuns) => {
    fc.assert(
      fc.property(drawnHead(size), fc.boolean(), (drawn, elsewhere) => {
        const head = fillHead(elsewhere ? new HeadView() : reader.heads.view, drawn);
        // Unknown, marked once, kept: the caches answer alike.
        for (let time = 0; time < 3; time++) {
          reader.read(head);
          expectSame(reader, head);
        }
      }),
      { numRuns },
    );
  });

  it('equal it on long runs, long words and long chains of escapes', () => {
    const long = [
      'a'.repeat(8000),
      '%25'.repeat(2600),
      `%${'25'.repeat(4000)}`,
      '../'.repeat(2600),
      'select '.repeat(1100),
    ];
    for (const target of long) {
      const fields = long.slice(0, 2).map((value) => ['cookie', value.slice(0, 6000)] as const);
      const head = fillHead(reader.heads.view, { method: 'GET', target: `/${target}`, fields, agent: 0 });
      reader.read(head);
      expectSame(reader, head);
    }
    for (let before = 40; before < 70; before++) {
      const target = `/${'-'.repeat(before)}select${'.'.repeat(before)}/information_schema`;
      const head = fillHead(reader.heads.view, { method: 'GET', target, fields: [], agent: -1 });
      reader.read(head);
      expectSame(reader, head);
    }
  });

  it('tell ids from words as route templates do', () => {
    const { kernels, bytes } = reader.memory;
    const { headAt } = reader.heads;
    const id = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefxyzAFZ-'), maxLength: 50 }),
      fc.uuid(),
      text(4),
    );
    fc.assert(
      fc.property(id, (value) => {
        for (let i = 0; i < value.length; i++) bytes[headAt + i] = value.charCodeAt(i);
        const end = headAt + value.length;
        expect(kernels.looksLikeId(headAt, end)).toBe(Number(looksLikeId(bytes, headAt, end)));
      }),
      { numRuns: 500 },
    );
  });

  it('read a body prefix as one text, as far as it is kept', () => {
    fc.assert(
      fc.property(text(60), (body) => {
        const got = reader.readBody(Uint8Array.from(body, (char) => char.charCodeAt(0)));
        if (body === '') expect(got).toEqual(new Array(8).fill(Number.NaN));
        else expect(got).toEqual(plainText(body).features);
      }),
      { numRuns: 100 },
    );
    expect(reader.readBody(null)).toEqual(new Array(8).fill(Number.NaN));
    const over = new Uint8Array(BODY_PREFIX_MAX_BYTES + 9).fill(0x41);
    over[BODY_PREFIX_MAX_BYTES] = 0x3c;
    expect(reader.readBody(over)).toEqual([0, 0, 1, 0, 0, 0, 0, 0]);
  });

  it('find one family for all versions of a client', () => {
    const familyOf = (agent: string) => {
      const fields = [['User-Agent', agent]] as const;
      reader.read(fillHead(reader.heads.view, { method: 'GET', target: '/', fields, agent: 0 }));
      return reader.word(HEAD_CALL.agentFamily);
    };
    const chrome = (v: string) => `Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 Chrome/${v} Safari/537.36`;
    expect(familyOf(chrome('140.0.0.0'))).toBe(familyOf(chrome('139.0.7258.66')));
    expect(familyOf('Okhttp/4.12')).toBe(familyOf('okhttp/5.0.0'));
    expect(familyOf('curl/8.5')).not.toBe(familyOf('okhttp/8.5'));
    expect(familyOf('')).not.toBe(0);
  });

  it('say when normalising would change the path', () => {
    const rewritten = (target: string) => {
      reader.read(fillHead(reader.heads.view, { method: 'GET', target, fields: [], agent: -1 }));
      return reader.heads.rewritten;
    };
    const plain = ['/', '/a/b', '/a/', '/a.b/..c', '/...', '/a?x=//../;', '/%41', '/a/b..'];
    const odd = [
      '//',
      '/a//b',
      '/.',
      '/..',
      '/a/./b',
      '/a/..',
      '/%2e%2E/a',
      '/.%2e',
      '/a%2fb',
      '/a%5Cb',
      '/a\\b',
      '/a;v',
    ];
    expect([...plain, ...odd].filter(rewritten)).toEqual(odd);
  });

  it('find the last id of a path, and no more than eight parameters', () => {
    const objectOf = (target: string) => {
      reader.read(fillHead(reader.heads.view, { method: 'GET', target, fields: [], agent: -1 }));
      return reader.found.object;
    };
    const uuid = '11111111-0000-4000-8000-111111111111';
    const numbers = {
      ...{ '/order/17': 17, '/order/17/lines': 17, '/shop/3/order/17': 17, '/order/007': 7 },
      ...{ '/order/9999999999999999': Number.NaN, [`/profile/${uuid}`]: Number.NaN },
    };
    for (const [path, number] of Object.entries(numbers)) {
      expect([path, objectOf(`${path}?x=5`).number]).toEqual([path, number]);
      expect(objectOf(path).hash).not.toBe(0);
    }
    for (const path of ['/', '/order', '//', '/order/?id=17', '*']) expect(objectOf(path).hash).toBe(0);
    expect(objectOf(`/?${'a=1&'.repeat(20)}`).params).toHaveLength(8);
  });

  it('refuse a head that has no room', () => {
    const big = new HeadView(new Uint8Array(HEAD_VIEW_BYTES + 10));
    fillHead(big, { method: 'GET', target: '/', fields: [['x', 'y'.repeat(HEAD_VIEW_BYTES)]], agent: -1 });
    expect(() => reader.heads.take(big)).toThrow(RangeError);
  });
});
