// Lexical features against string functions; encodings; any bytes; linear cost by counting, not by time.
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEXICAL_FEATURES } from '../domain/features-lexical.ts';
import { HeadView } from '../domain/head-view.ts';
import { LEXICAL_FEATURES_COUNT, Lexical } from './lexical.ts';
import { LEXICON_WORDS } from './lexicon.ts';
import { outOfRange } from './testing/ranges.ts';

const lexical = new Lexical();
const head = new HeadView();
const out = new Float64Array(LEXICAL_FEATURES_COUNT);

function features(target: string, fields: Record<string, string> = {}): Record<string, number> {
  head.begin('GET', target);
  for (const [name, value] of Object.entries(fields)) head.add(name, value);
  lexical.write(head, out, 0);
  expect(outOfRange(LEXICAL_FEATURES, out)).toEqual([]);
  return Object.fromEntries(LEXICAL_FEATURES.map(({ name }, place) => [name, out[place] as number]));
}

/** Percent-decoding of up to three layers, from the left, and the deepest layer that changed something. */
function decode(text: string): { text: string; depth: number } {
  let depth = 0;
  const decoded = text.replace(/%(?:(?:25){0,2}(?!25)[0-9a-f]{2}|(?:25){1,3})/gi, (whole) => {
    const codes = (whole.slice(1).match(/../g) as string[]).slice(0, 3);
    depth = Math.max(depth, codes.length);
    return String.fromCharCode(Number.parseInt(codes.at(-1) as string, 16));
  });
  return { text: decoded, depth };
}

function naive(raw: string): number[] {
  const { text, depth } = decode(raw);
  const share = (pattern: RegExp) =>
    text.length === 0 ? 0 : (text.match(pattern)?.length ?? 0) / text.length;
  const counts = [...Map.groupBy([...text], (char) => char).values()].map(
    (chars) => chars.length / text.length,
  );
  const words = text.match(/[A-Za-z_]+/g) ?? [];
  return [
    counts.reduce((sum, p) => sum - p * Math.log2(p), 0),
    share(/[0-9]/g),
    share(/[A-Z]/g),
    share(/[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]/g),
    share(/[^\x20-\x7e]/g),
    text.match(/['";<>()|`${}\\]/g)?.length ?? 0,
    words.filter((word) => LEXICON_WORDS.includes(word.toLowerCase())).length,
    depth,
  ];
}

const PIECES = [
  'a',
  'Z',
  '7',
  '/',
  '..',
  "'",
  '<',
  '%41',
  '%2e',
  '%252e',
  '%25252e',
  '%',
  '%zz',
  '%4',
  'select',
  'é',
];
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((parts) => parts.join(''));

describe('Lexical', () => {
  it('equals string functions on target and headers', () => {
    fc.assert(
      fc.property(text, text, text, (target, cookie, agent) => {
        const fields = { Host: '<select>', Cookie: cookie, 'User-Agent': agent };
        const got = Object.values(features(`/${target}`, fields));
        const texts = [cookie, agent].filter((value) => value !== '').map(naive);
        const joined = Array.from({ length: 8 }, (_, i) => {
          const all = texts.map((numbers) => numbers[i] as number);
          if (all.length === 0) return Number.NaN;
          return i === 5 || i === 6 ? all.reduce((a, b) => a + b, 0) : Math.max(...all);
        });
        const wanted = [...naive(`/${target}`), ...joined];
        for (const [i, value] of wanted.entries()) {
          if (Number.isNaN(value)) expect([target, cookie, i, got[i]]).toEqual([target, cookie, i, NaN]);
          else
            expect([target, cookie, i, Math.abs((got[i] as number) - value) < 1e-5]).toEqual([
              target,
              cookie,
              i,
              true,
            ]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('sees the text behind encodings', () => {
    expect(features('/?q=%2527%20UNION%20SELECT%20password--')).toMatchObject({
      ...{ target_keywords: 2, target_delimiters: 1, target_escape_depth: 2 },
    });
    expect(features('/a/..%2f..%252F..%5cetc/passwd')).toMatchObject({
      traversal_steps: 3,
      target_keywords: 2,
    });
    const log4j = { 'Accept-Encoding': '\x24{jndi:ldap://x/a}', Authorization: '\x24{jndi:x}' };
    expect(features('/', log4j)).toMatchObject({ header_text_keywords: 2, header_text_delimiters: 3 });
    expect(features('/items/0123456789abcdefABCDEF?x=1')['token_longest']).toBe(22);
    expect(features('/')).toMatchObject({ target_entropy: 0, header_text_entropy: Number.NaN });
  });

  it('reads any bytes within its ranges', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        features(`/${String.fromCharCode(...bytes)}`, { 'x-odd': String.fromCharCode(...bytes) });
      }),
    );
    expect(features(`/${'%25'.repeat(2700)}`)['target_escape_depth']).toBe(1);
    expect(features(`/%${'25'.repeat(4000)}`)['target_escape_depth']).toBe(3);
  });

  const list = new URL('../../shared/data/httpparams/train.csv.gz', import.meta.url);
  if (!existsSync(list))
    console.log('skipped: no ../shared/data/httpparams, so attack values are not looked at');
  it.skipIf(!existsSync(list))(
    'finds keywords or delimiters in most attack values and few normal ones',
    () => {
      const rows = gunzipSync(readFileSync(list)).toString('latin1').split('\n').slice(1);
      const marked = { attack: 0, attackAll: 0, norm: 0, normAll: 0 };
      for (const row of rows) {
        const [, quoted, label] = /^"(.*)","\d+","[^"]+","(norm|anom)"\s*$/.exec(row) ?? [];
        if (quoted === undefined) continue;
        const value = quoted.replaceAll('""', '"');
        const got = features(`/?q=${encodeURIComponent(value)}`);
        const hit = (got['target_keywords'] as number) > 0 || (got['target_delimiters'] as number) > 1;
        if (label === 'norm') marked.normAll++;
        else marked.attackAll++;
        if (hit) marked[label === 'norm' ? 'norm' : 'attack']++;
      }
      expect(marked.attackAll).toBeGreaterThan(1000);
      expect(marked.attack / marked.attackAll).toBeGreaterThan(0.9);
      expect(marked.norm / marked.normAll).toBeLessThan(0.05);
    },
  );
});
