// Which rows are positive: told from the distinct texts of the label column and the --positive flag.
// Reads no files. Used by cli/train.ts only.
import { PicketError } from '../domain/errors.ts';
import type { Dataset } from '../training/dataset.ts';
import { isMissingCell, type TextColumn } from '../training/table.ts';

/** Pairs that need no --positive: [negative, positive]. */
const KNOWN_PAIRS: readonly (readonly [string, string])[] = [
  ['0', '1'],
  ['0.0', '1.0'],
  ['false', 'true'],
  ['False', 'True'],
];

function refuse(message: string, hint: string): never {
  throw new PicketError('DATA_INVALID', message, { hint });
}

/** The values in words, at most eight of them. */
function listed(values: readonly string[]): string {
  return values.length <= 8
    ? values.join(', ')
    : `${values.slice(0, 8).join(', ')} and ${values.length - 8} more`;
}

/**
 * Labels and class names: 1 where the cell is the positive value, 0 elsewhere.
 * @throws PicketError DATA_INVALID: empty cells, one value only, an unknown positive value, or none given where it is needed.
 */
export function labelsOf(
  column: TextColumn,
  positive: string | undefined,
): Pick<Dataset, 'labels' | 'classNames'> {
  const { name, codes, distinct } = column;
  const missing = distinct.findIndex(isMissingCell);
  if (missing >= 0) {
    const count = codes.reduce((sum, code) => sum + (code === missing ? 1 : 0), 0);
    refuse(
      `the label ${name} is missing in ${count} rows`,
      'remove those rows, or choose others with --where',
    );
  }
  const names = positive === undefined ? knownPair(name, distinct) : chosenPair(name, distinct, positive);
  const positiveCode = distinct.indexOf(names[1]);
  return { labels: Uint8Array.from(codes, (code) => (code === positiveCode ? 1 : 0)), classNames: names };
}

function knownPair(name: string, distinct: readonly string[]): readonly [string, string] {
  const pair = KNOWN_PAIRS.find(
    (known) => distinct.length === 2 && known.every((value) => distinct.includes(value)),
  );
  return (
    pair ??
    refuse(`the label ${name} has the values ${listed(distinct)}`, 'say which is to be found with --positive')
  );
}

function chosenPair(name: string, distinct: readonly string[], positive: string): readonly [string, string] {
  if (!distinct.includes(positive)) {
    refuse(`the label ${name} is never ${positive}`, `its values are: ${listed(distinct)}`);
  }
  const others = distinct.filter((value) => value !== positive);
  if (others.length === 0)
    refuse(`the label ${name} is ${positive} in every row`, 'a model needs rows of both kinds');
  return [others.length === 1 ? others[0]! : `not ${positive}`, positive];
}
