// The best split of one node by gini impurity (Breiman et al., "Classification and Regression Trees", 1984): all midpoints
// between neighbouring values of a random choice of features, in the order and the arithmetic of scikit-learn's BestSplitter.
// Knows one node at a time; forest-grower.ts makes trees of its splits.
import type { Random } from '../domain/random.ts';
import { MISSING_RANK, type RankedTable } from './ranked-table.ts';

export interface SplitSearch {
  /** Features looked at before the best one is taken; more when all of those are constant in the node. */
  readonly maxFeatures: number;
  /** Distinct rows a child must have. */
  readonly minSamplesLeaf: number;
}

/** Rows of one bootstrap sample; rows drawn more than once weigh more. */
export interface WeightedRows {
  readonly labels: Uint8Array;
  readonly classCount: number;
  /** By row of the table; 0 for rows outside the sample. */
  readonly weights: Float64Array;
}

export interface GiniSplit {
  readonly feature: number;
  /** Right iff x > threshold; Infinity: missing values only. */
  readonly threshold: number;
  readonly missingLeft: boolean;
  readonly impurityLeft: number;
  readonly impurityRight: number;
}

/** Values closer than this count as one, as in scikit-learn (32-bit arithmetic). */
const TIE = Math.fround(1e-7);
/** Sort keys are rank * ROWS_MAX + row; both factors stay below 2^26, so keys are exact. */
const ROWS_MAX = 2 ** 26;

/** Searches splits of the nodes of one tree; buffers are made once. */
export class GiniSplitter {
  readonly #table: RankedTable;
  readonly #rows: WeightedRows;
  readonly #search: SplitSearch;
  readonly #random: Random;
  readonly #features: Uint32Array;
  readonly #keys: Float64Array;
  /** The node's values of one feature, ascending: rank, rows and class weights of each. */
  readonly #groupRank: Uint32Array;
  readonly #groupRows: Uint32Array;
  readonly #groupWeights: Float64Array;
  #groups = 0;
  readonly #missingWeights: Float64Array;
  #missingRows = 0;
  readonly #left: Float64Array;
  readonly #totals: Float64Array;
  #nodeRows = 0;
  #bestGain = -Infinity;
  #best: GiniSplit | null = null;

  constructor(table: RankedTable, rows: WeightedRows, search: SplitSearch, random: Random) {
    const most = Math.max(...table.values.map((values) => values.length), 1);
    this.#table = table;
    this.#rows = rows;
    this.#search = search;
    this.#random = random;
    this.#features = Uint32Array.from(table.values, (_, f) => f);
    this.#keys = new Float64Array(table.rowCount);
    this.#groupRank = new Uint32Array(most);
    this.#groupRows = new Uint32Array(most);
    this.#groupWeights = new Float64Array(most * rows.classCount);
    this.#missingWeights = new Float64Array(rows.classCount);
    this.#left = new Float64Array(rows.classCount);
    this.#totals = new Float64Array(rows.classCount);
  }

  /**
   * The best split of a node with these rows, or null when none is possible.
   * @param totals the node's weight of each class.
   */
  find(rows: Uint32Array, totals: Float64Array): GiniSplit | null {
    this.#totals.set(totals);
    this.#nodeRows = rows.length;
    this.#bestGain = -Infinity;
    this.#best = null;
    const features = this.#features;
    let constants = 0;
    for (let visited = 0; visited < features.length; visited++) {
      if (visited >= this.#search.maxFeatures && visited > constants) break;
      const drawn = visited + this.#random.int(features.length - visited);
      const feature = features[drawn]!;
      features[drawn] = features[visited]!;
      features[visited] = feature;
      this.#group(feature, rows);
      if (this.#isConstant(feature)) constants++;
      else this.#scan(feature);
    }
    return this.#best;
  }

  /** Lists the node's distinct values of a feature: by counting where they are few, else by sorting. */
  #group(feature: number, rows: Uint32Array): void {
    const ranks = this.#table.ranks[feature]!;
    const distinct = this.#table.values[feature]!.length;
    this.#missingWeights.fill(0);
    this.#missingRows = 0;
    if (distinct <= 2 * rows.length) this.#groupByCounting(ranks, rows, distinct);
    else this.#groupBySorting(ranks, rows);
  }

  #groupByCounting(ranks: Uint32Array, rows: Uint32Array, distinct: number): void {
    const { labels, weights, classCount } = this.#rows;
    const groupRows = this.#groupRows.fill(0, 0, distinct);
    const groupWeights = this.#groupWeights.fill(0, 0, distinct * classCount);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const rank = ranks[row]!;
      if (rank === MISSING_RANK) this.#addMissing(row);
      else {
        groupRows[rank]!++;
        groupWeights[rank * classCount + labels[row]!]! += weights[row]!;
      }
    }
    let groups = 0;
    for (let rank = 0; rank < distinct; rank++) {
      if (groupRows[rank] === 0) continue;
      this.#groupRank[groups] = rank;
      groupRows[groups] = groupRows[rank]!;
      for (let k = 0; k < classCount; k++) {
        groupWeights[groups * classCount + k] = groupWeights[rank * classCount + k]!;
      }
      groups++;
    }
    this.#groups = groups;
  }

  #groupBySorting(ranks: Uint32Array, rows: Uint32Array): void {
    const { labels, weights, classCount } = this.#rows;
    let count = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const rank = ranks[row]!;
      if (rank === MISSING_RANK) this.#addMissing(row);
      else this.#keys[count++] = rank * ROWS_MAX + row;
    }
    const keys = this.#keys.subarray(0, count).sort();
    let groups = 0;
    let last = -1;
    for (let i = 0; i < count; i++) {
      const rank = Math.floor(keys[i]! / ROWS_MAX);
      const row = keys[i]! - rank * ROWS_MAX;
      if (rank !== last) {
        this.#groupRank[groups] = rank;
        this.#groupRows[groups] = 0;
        this.#groupWeights.fill(0, groups * classCount, (groups + 1) * classCount);
        groups++;
        last = rank;
      }
      this.#groupRows[groups - 1]!++;
      this.#groupWeights[(groups - 1) * classCount + labels[row]!]! += weights[row]!;
    }
    this.#groups = groups;
  }

  #addMissing(row: number): void {
    this.#missingRows++;
    this.#missingWeights[this.#rows.labels[row]!]! += this.#rows.weights[row]!;
  }

  #isConstant(feature: number): boolean {
    if (this.#groups === 0) return true;
    if (this.#missingRows > 0) return false;
    return !this.#differ(feature, 0, this.#groups - 1);
  }

  #valueOf(feature: number, group: number): number {
    return this.#table.values[feature]![this.#groupRank[group]!]!;
  }

  #differ(feature: number, low: number, high: number): boolean {
    return this.#valueOf(feature, high) > Math.fround(this.#valueOf(feature, low) + TIE);
  }

  /** Missing values right first, with "missing right, all others left" as the last candidate; then missing values left. */
  #scan(feature: number): void {
    this.#left.fill(0);
    this.#scanGroups(feature, 0, false);
    if (this.#missingRows === 0) return;
    this.#consider(feature, Infinity, this.#nodeRows - this.#missingRows, false);
    this.#left.set(this.#missingWeights);
    this.#scanGroups(feature, this.#missingRows, true);
  }

  #scanGroups(feature: number, rowsBefore: number, missingLeft: boolean): void {
    const classCount = this.#left.length;
    let rows = rowsBefore;
    for (let group = 0; group < this.#groups; group++) {
      for (let k = 0; k < classCount; k++) {
        this.#left[k]! += this.#groupWeights[group * classCount + k]!;
      }
      rows += this.#groupRows[group]!;
      if (group + 1 === this.#groups || !this.#differ(feature, group, group + 1)) continue;
      const threshold = this.#valueOf(feature, group) / 2 + this.#valueOf(feature, group + 1) / 2;
      this.#consider(feature, threshold, rows, missingLeft);
    }
  }

  /** Takes the split if it is better than all before it; `#left` holds the class weights of its left side. */
  #consider(feature: number, threshold: number, leftRows: number, missingLeft: boolean): void {
    const rightRows = this.#nodeRows - leftRows;
    if (leftRows < this.#search.minSamplesLeaf || rightRows < this.#search.minSamplesLeaf) return;
    let left = 0;
    let right = 0;
    let leftSquares = 0;
    let rightSquares = 0;
    for (let k = 0; k < this.#left.length; k++) {
      const l = this.#left[k]!;
      const r = this.#totals[k]! - l;
      left += l;
      right += r;
      leftSquares += l * l;
      rightSquares += r * r;
    }
    const impurityLeft = 1 - leftSquares / (left * left);
    const impurityRight = 1 - rightSquares / (right * right);
    const gain = -right * impurityRight - left * impurityLeft;
    if (!(gain > this.#bestGain)) return;
    this.#bestGain = gain;
    const missing = this.#missingRows === 0 ? leftRows > rightRows : missingLeft;
    this.#best = { feature, threshold, missingLeft: missing, impurityLeft, impurityRight };
  }
}
