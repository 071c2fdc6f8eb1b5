// Which rows learn and which judge: hold-outs and cross-validation folds that keep class shares alike and never put rows
// with equal features on both sides (a model that has seen a row's twin would be praised for its memory).
// Seeded, so the same rows fall into the same folds everywhere. Used by booster.ts and cross-validate.ts.
import { PicketError } from '../domain/errors.ts';
import { type Random, seededRandom } from '../domain/random.ts';
import { type Dataset, type FeatureTable, takeRows } from './dataset.ts';

export interface HoldOut {
  /** Row numbers, ascending. */
  readonly kept: Uint32Array;
  readonly heldOut: Uint32Array;
}

export interface FoldOptions {
  /** 2..50. */
  readonly folds: number;
  readonly seed: number;
}

const FOLDS_MAX = 50;

/** A share of the rows of each class, at least one and never all of them. */
export function stratifiedHoldOut(data: Dataset, share: number, seed: number): HoldOut {
  const random = seededRandom(seed);
  const heldOut = new Uint8Array(data.rowCount);
  data.classNames.forEach((name, k) => {
    const rows = rowsWhere(data.labels, (label) => label === k);
    if (rows.length < 2) {
      throw new PicketError(
        'TRAINING_INVALID',
        `class ${name} has ${rows.length} row, too few to hold one out`,
      );
    }
    const count = Math.min(rows.length - 1, Math.max(1, Math.round(rows.length * share)));
    for (const row of random.shuffle(rows).subarray(0, count)) heldOut[row] = 1;
  });
  return {
    kept: rowsWhere(heldOut, (held) => held === 0),
    heldOut: rowsWhere(heldOut, (held) => held === 1),
  };
}

/** Numbers of the rows whose mark passes, ascending. */
export function rowsWhere(marks: Uint8Array, passes: (mark: number) => boolean): Uint32Array {
  const rows = new Uint32Array(marks.length);
  let count = 0;
  for (let row = 0; row < marks.length; row++) {
    if (passes(marks[row]!)) rows[count++] = row;
  }
  return rows.slice(0, count);
}

/**
 * A group number for each row, counted from 0 in order of first appearance. Rows equal in every feature share one;
 * missing equals missing, and -0 equals 0.
 */
export function repeatGroups(table: FeatureTable): Uint32Array {
  const groups = new Uint32Array(table.rowCount);
  const hashes = rowHashes(table);
  const firstByHash = new Map<number, number[]>();
  let groupCount = 0;
  for (let row = 0; row < table.rowCount; row++) {
    const firsts = firstByHash.get(hashes[row]!);
    const twin = firsts?.find((first) => equalRows(table, first, row));
    if (twin !== undefined) {
      groups[row] = groups[twin]!;
      continue;
    }
    groups[row] = groupCount++;
    if (firsts === undefined) firstByHash.set(hashes[row]!, [row]);
    else firsts.push(row);
  }
  return groups;
}

/** The data set without rows that equal an earlier one in every feature and in class. */
export function withoutRepeats(data: Dataset): Dataset {
  const groups = repeatGroups(data);
  const seen = new Set<number>();
  const firsts = [...groups.keys()].filter((row) => {
    const key = groups[row]! * data.classNames.length + data.labels[row]!;
    return seen.size < seen.add(key).size;
  });
  return takeRows(data, firsts);
}

function rowHashes(table: FeatureTable): Uint32Array {
  const hashes = new Uint32Array(table.rowCount).fill(2166136261);
  const value = new Float64Array(1);
  const words = new Uint32Array(value.buffer);
  for (const column of table.columns) {
    for (let row = 0; row < column.length; row++) {
      const x = column[row]!;
      value[0] = Number.isNaN(x) ? Number.NaN : x + 0;
      const mixed = Math.imul(hashes[row]! ^ words[0]!, 0x9e3779b1);
      hashes[row] = Math.imul(mixed ^ (mixed >>> 15) ^ words[1]!, 0x85ebca6b);
    }
  }
  return hashes;
}

function equalRows(table: FeatureTable, a: number, b: number): boolean {
  return table.columns.every((column) => {
    const x = column[a]!;
    const y = column[b]!;
    return x === y || (Number.isNaN(x) && Number.isNaN(y));
  });
}

/**
 * A fold number for each row, 0..folds-1. Rows of one group share a fold; each fold gets about its share of each class.
 * @param groups group number of each row, as `repeatGroups` gives them.
 * @throws PicketError TRAINING_INVALID when a class has fewer groups than there are folds.
 */
export function groupedFolds(data: Dataset, groups: Uint32Array, options: FoldOptions): Uint8Array {
  const { folds, seed } = options;
  if (!Number.isInteger(folds) || folds < 2 || folds > FOLDS_MAX) {
    const problems = [
      { field: 'folds', value: String(folds), expected: `a whole number from 2 to ${FOLDS_MAX}` },
    ];
    throw new PicketError('TRAINING_INVALID', 'the number of folds is not usable', { problems });
  }
  const table = countGroups(data, groups);
  refuseRareClasses(data, table, folds);
  const foldOfGroup = dealGroups(table, folds, seededRandom(seed));
  return Uint8Array.from(groups, (group) => foldOfGroup[group]!);
}

interface GroupTable {
  readonly groupCount: number;
  readonly classCount: number;
  /** Rows of each class in each group, group-major. */
  readonly rows: Uint32Array;
  /** Rows of each class over all groups. */
  readonly totals: Uint32Array;
}

function countGroups(data: Dataset, groups: Uint32Array): GroupTable {
  const classCount = data.classNames.length;
  let groupCount = 0;
  for (const group of groups) groupCount = Math.max(groupCount, group + 1);
  const rows = new Uint32Array(groupCount * classCount);
  const totals = new Uint32Array(classCount);
  for (let row = 0; row < groups.length; row++) {
    const label = data.labels[row]!;
    rows[groups[row]! * classCount + label]!++;
    totals[label]!++;
  }
  return { groupCount, classCount, rows, totals };
}

function refuseRareClasses(data: Dataset, table: GroupTable, folds: number): void {
  data.classNames.forEach((name, k) => {
    let count = 0;
    for (let group = 0; group < table.groupCount; group++) {
      if (table.rows[group * table.classCount + k]! > 0) count++;
    }
    if (count < folds) {
      throw new PicketError(
        'TRAINING_INVALID',
        `class ${name} has ${count} distinct rows, fewer than the ${folds} folds`,
        { hint: 'use fewer folds, or more rows of that class' },
      );
    }
  });
}

/** Deals groups in random order, large ones first, each to the fold that has least of the group's classes. */
function dealGroups(table: GroupTable, folds: number, random: Random): Uint8Array {
  const { groupCount, classCount, rows, totals } = table;
  const sizeOf = (group: number) => {
    let size = 0;
    for (let k = 0; k < classCount; k++) size += rows[group * classCount + k]!;
    return size;
  };
  const sizes = Uint32Array.from({ length: groupCount }, (_, group) => sizeOf(group));
  const order = random.shuffle(Uint32Array.from({ length: groupCount }, (_, group) => group));
  order.sort((a, b) => sizes[b]! - sizes[a]!);
  const filled = new Float64Array(folds * classCount);
  const foldOf = new Uint8Array(groupCount);
  for (const group of order) {
    let best = 0;
    let bestFill = Infinity;
    for (let fold = 0; fold < folds; fold++) {
      let fill = 0;
      for (let k = 0; k < classCount; k++) {
        fill += (rows[group * classCount + k]! * filled[fold * classCount + k]!) / totals[k]!;
      }
      if (fill < bestFill) {
        best = fold;
        bestFill = fill;
      }
    }
    foldOf[group] = best;
    for (let k = 0; k < classCount; k++) filled[best * classCount + k]! += rows[group * classCount + k]!;
  }
  return foldOf;
}
