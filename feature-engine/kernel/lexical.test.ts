// What the lexical features are for: text behind encodings, and the attack values of a real collection.

import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LEXICAL_FEATURES } from '../../domain/features-lexical.ts';
import { BODY, fillHead, HeadReader, LEXICAL } from '../testing/head-reader.ts';
import { outOfRange } from '../testing/ranges.ts';

describe('lexical features', () => {
  const reader = new HeadReader('release');

  function features(target: string, fields: Record<string, string> = {}): Record<string, number> {
    reader.read(
      fillHead(reader.heads.view, { method: 'GET', target, fields: Object.entries(fields), agent: -1 }),
    );
    const got = reader.out.subarray(LEXICAL, BODY);
    expect(outOfRange(LEXICAL_FEATURES, got)).toEqual([]);
    return Object.fromEntries(LEXICAL_FEATURES.map((feature, place) => [feature.name, got[place] as number]));
  }

  it('see the text behind encodings', () => {
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

  const list = new URL('../../../shared/data/httpparams/train.csv.gz', import.meta.url);
  if (!existsSync(list))
    console.log('skipped: no ../shared/data/httpparams, so attack values are not looked at');
  it.skipIf(!existsSync(list))(
    'find keywords or delimiters in most attack values and few normal ones',
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
