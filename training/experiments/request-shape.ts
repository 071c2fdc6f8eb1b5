// The shape of a request's text as plain numbers: lengths, counts and shares of kinds of characters. For offline sets that have
// only method, path and decoded parameters; live requests have the feature engine. Called by novelty-data.ts.

export const REQUEST_SHAPE_NAMES = [
  'is_get',
  'path_length',
  'path_depth',
  'path_dots',
  'parameters_length',
  'parameter_count',
  'value_length_max',
  'digit_share',
  'letter_share',
  'special_count',
  'control_count',
  'text_entropy_bits',
] as const;

const SPECIAL = /['"<>();|`$\\{}[\]*]/g;
// Raw and escaped: the stored text writes CR, LF and TAB as two characters.
const CONTROL = /\\[rnt]|[\u0000-\u001f\u007f]/g;

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** Shannon entropy of the characters, bits a character; 0 for an empty text. */
export function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  let length = 0;
  for (const character of text) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
    length++;
  }
  let bits = 0;
  for (const n of counts.values()) bits -= (n / length) * Math.log2(n / length);
  return bits;
}

/** Values in the order of REQUEST_SHAPE_NAMES. */
export function requestShape(method: string, path: string, parameters: string): number[] {
  const values =
    parameters === '' ? [] : parameters.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const text = `${path}?${parameters}`;
  const length = Math.max(1, parameters.length);
  return [
    method === 'GET' ? 1 : 0,
    path.length,
    count(path, /\//g),
    count(path, /\./g),
    parameters.length,
    values.length,
    values.reduce((most, value) => Math.max(most, value.length), 0),
    count(parameters, /\d/g) / length,
    count(parameters, /[a-z]/gi) / length,
    count(text, SPECIAL),
    count(text, CONTROL),
    entropyBits(text),
  ];
}
