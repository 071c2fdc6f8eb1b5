// The tables of one explainer as bytes: leaf records with their steps, features and subset tables, and the copies that the steps
// compare. Built when the first explanation is asked for, never read from a file. Called by explainer.ts.

import * as at from '../layout.ts';
import type { Ensemble } from './ensemble.ts';
import { Image } from './image.ts';
import { gaussLegendre, type LeafPath, leafPaths, subsetTable, tableFeatures } from './shap-paths.ts';
import { Copies, comparisonOf, writeCopies, writeSets } from './tr8-table.ts';

export interface ShapImage {
  readonly bytes: ArrayBuffer;
  readonly relocations: Uint32Array;
  /** Offsets of the explain record and of the contributions: f64, output by output, an input each. */
  readonly record: number;
  readonly contributions: number;
}

/** Writes the parts of an image; offsets only, until the explainer relocates it. */
class Writer {
  readonly image: Image;
  readonly copies = new Copies();
  readonly #ensemble: Ensemble;
  readonly #contributions: number;
  readonly #points = new Map<number, number>();

  constructor(ensemble: Ensemble, image: Image, contributions: number) {
    this.#ensemble = ensemble;
    this.image = image;
    this.#contributions = contributions;
  }

  /** All leaf records with what they point at. Gives where they begin. */
  leaves(paths: readonly LeafPath[]): number {
    const { image } = this;
    const start = image.reserve(paths.length * at.LEAF_BYTES);
    const tableMost = tableFeatures(paths);
    const hasTable = ({ features }: LeafPath) => features.length <= tableMost;
    const featureCount = paths.reduce((sum, { features }) => sum + features.length, 0);
    const tableValues = paths.reduce(
      (sum, path) => sum + (hasTable(path) ? 2 ** path.features.length : 0),
      0,
    );
    let features = image.reserve(featureCount * at.PATH_FEATURE_BYTES);
    let table = image.reserve(tableValues * 8);
    image.relocate(features + 16, at.PATH_FEATURE_BYTES, featureCount);
    paths.forEach((path, i) => {
      const record = start + i * at.LEAF_BYTES;
      image.f64(record, path.value);
      features = this.#features(record, path, features);
      if (hasTable(path)) table = this.#table(record, path, table);
      else this.#pointsOf(record, Math.ceil(path.features.length / 2));
    });
    return start;
  }

  /** Gives where the next leaf's features begin; so do the other parts. */
  #features(record: number, { features, shares, output }: LeafPath, start: number): number {
    features.forEach((feature, j) => {
      const place = start + j * at.PATH_FEATURE_BYTES;
      this.image.f64(place, shares[j]!);
      this.image.f64(place + 8, 1 / shares[j]! - 1);
      const index = output * this.#ensemble.inputs.length + feature;
      this.image.u32(place + 16, this.#contributions + index * 8);
    });
    const end = start + features.length * at.PATH_FEATURE_BYTES;
    this.image.address(record + at.LEAF_FEATURES, start);
    this.image.address(record + at.LEAF_FEATURES_END, end);
    return end;
  }

  #table(record: number, path: LeafPath, start: number): number {
    const table = subsetTable(path);
    table.forEach((value, set) => {
      this.image.f64(start + set * 8, value);
    });
    this.image.address(record + at.LEAF_TABLE, start);
    return start + table.byteLength;
  }

  #pointsOf(record: number, count: number): void {
    const start = this.#points.get(count) ?? this.#writePoints(count);
    this.image.address(record + at.LEAF_POINTS, start);
    this.image.address(record + at.LEAF_POINTS_END, start + count * at.POINT_BYTES);
  }

  #writePoints(count: number): number {
    const { points, weights } = gaussLegendre(count);
    const start = this.image.reserve(count * at.POINT_BYTES);
    points.forEach((t, i) => {
      this.image.f64(start + i * at.POINT_BYTES, t);
      this.image.f64(start + i * at.POINT_BYTES + 8, weights[i]!);
    });
    this.#points.set(count, start);
    return start;
  }

  /** A record for each inner node, tree by tree; leaf records begin at `leaves`. Gives where they begin, and how many. */
  conditions(paths: readonly LeafPath[], leaves: number): { start: number; count: number } {
    const leafCounts = new Map<LeafPath['ways'], number>();
    for (const { ways } of paths) leafCounts.set(ways, (leafCounts.get(ways) ?? 0) + 1);
    const count = paths.length - leafCounts.size;
    const start = this.image.reserve(count * at.CONDITION_BYTES);
    this.image.relocate(start + 20, at.CONDITION_BYTES, count);
    this.image.relocate(start + 24, at.CONDITION_BYTES, count);
    let condition = start;
    for (let first = 0; first < paths.length; ) {
      condition = this.#conditionsOf(paths[first]!, condition, leaves + first * at.LEAF_BYTES);
      first += leafCounts.get(paths[first]!.ways)!;
    }
    return { start, count };
  }

  /** The inner nodes of one tree; its leaf records stand in the order of their nodes. */
  #conditionsOf({ tree, ways }: LeafPath, start: number, leaves: number): number {
    const sets = new Uint32Array(tree.left.length);
    let condition = start;
    let leaf = leaves;
    tree.left.forEach((left, node) => {
      sets[node] = left === 0 ? leaf + at.LEAF_MISSED : condition + at.CONDITION_MISSED;
      if (left === 0) leaf += at.LEAF_BYTES;
      else condition += at.CONDITION_BYTES;
    });
    tree.left.forEach((left, node) => {
      if (left === 0) return;
      const place = sets[node]! - at.CONDITION_MISSED;
      const { copy, threshold } = comparisonOf(this.#ensemble, tree, node);
      this.image.f64(place, threshold);
      this.image.u32(place + 8, this.copies.numberOf(copy) * 8);
      this.image.u32(place + 12, ways.bits[node]!);
      this.image.u32(place + 20, sets[left]!);
      this.image.u32(place + 24, sets[left + 1]!);
    });
    return condition;
  }
}

/** Builds the image; input i of the ensemble is read at vector place i. Throws BUNDLE_TOO_LARGE, BUNDLE_MODEL (no covers). */
export function buildShapImage(ensemble: Ensemble, maxBytes: number): ShapImage {
  const paths = leafPaths(ensemble);
  const image = new Image(maxBytes);
  const record = image.reserve(at.DETECTOR_BYTES);
  const size = ensemble.outputs * ensemble.inputs.length * 8;
  const contributions = image.reserve(size);
  const writer = new Writer(ensemble, image, contributions);
  const leaves = writer.leaves(paths);
  const conditions = writer.conditions(paths, leaves);
  const addressOf = (input: number) => at.VECTOR_PTR + input * 8;
  const copies = writeCopies(image, writer.copies.list, writeSets(image, ensemble), addressOf);
  image.u32(record + at.DETECTOR_FLAGS, ensemble.f32Input ? at.DETECTOR_FLAG_F32_INPUT : 0);
  const range = (place: number, start: number, bytes: number) => {
    image.address(record + place, start);
    image.address(record + place + 4, start + bytes);
  };
  range(at.DETECTOR_COPIES, copies, writer.copies.list.length * at.COPY_BYTES);
  range(at.EXPLAIN_LEAVES, leaves, paths.length * at.LEAF_BYTES);
  range(at.EXPLAIN_OUT, contributions, size);
  range(at.EXPLAIN_CONDITIONS, conditions.start, conditions.count * at.CONDITION_BYTES);
  return { ...image.finish(), record, contributions };
}
