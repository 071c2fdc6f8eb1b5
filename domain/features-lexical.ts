// Lexical features of the request's bytes (payload attacks), in the order in which the head kernels write them. Over the target,
// over the values of all headers but those without free text (Host, Authorization, Content-Length, ...) and over the first bytes
// of bodies that are held. Text is read after up to three rounds of percent-decoding, in one pass.

import { type Feature, type FeatureRow, featureGroup } from './feature.ts';

const BYTES_MAX = 24_576;

function over(id: number, name: string, what: string, missing: string): FeatureRow[] {
  return [
    [id, `${name}_entropy`, 'bits', 8, `entropy of the bytes of ${what}`, missing],
    [id + 1, `${name}_digit_share`, 'share', 1, `share of digits in ${what}`, missing],
    [id + 2, `${name}_upper_share`, 'share', 1, `share of upper-case letters in ${what}`, missing],
    [id + 3, `${name}_symbol_share`, 'share', 1, `share of punctuation and spaces in ${what}`, missing],
    [
      id + 4,
      `${name}_high_share`,
      'share',
      1,
      `share of control bytes and bytes over 126 in ${what}`,
      missing,
    ],
    [
      id + 5,
      `${name}_delimiters`,
      'count',
      BYTES_MAX,
      `bytes among ' " ; < > ( ) | \` $ { } \\ in ${what}`,
      missing,
    ],
    [
      id + 6,
      `${name}_keywords`,
      'count',
      BYTES_MAX,
      `words of attack languages in ${what} (lexicon.ts)`,
      missing,
    ],
    [id + 7, `${name}_escape_depth`, 'count', 3, `rounds of percent-decoding that change ${what}`, missing],
  ];
}

export const LEXICAL_FEATURES: readonly Feature[] = featureGroup('lexical', [
  ...over(1200, 'target', 'the target', 'never'),
  ...over(1208, 'header_text', 'a header value (shares and entropy: largest; counts: sum)', 'no such header'),
  [1216, 'token_longest', 'bytes', 8192, 'longest run of letters and digits in the target'],
  [
    1217,
    'traversal_steps',
    'count',
    BYTES_MAX,
    'times that the decoded target or headers hold "../" or "..\\"',
  ],
]);

/** Of the first bytes of the body, on routes that hold them back until they are judged. */
export const BODY_FEATURES: readonly Feature[] = featureGroup(
  'lexical',
  over(1220, 'body', 'the first bytes of the body', 'no first bytes were held'),
);
