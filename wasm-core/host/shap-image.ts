// The tables of one explainer as bytes: leaf records with their steps, features and subset tables, and the copies that the steps
// compare. Built when the first explanation is asked for, never read from a file. Called by explainer.ts.

import * as at from '../layout.ts';
import type { Ensemble } from './ensemble.ts';
import { Image } from './image.ts';
import { gaussLegendre, type LeafPath, leafPaths, subsetTable, TABLE_FEATURES_MAX } from './shap-paths.ts';
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

  leaf(record: number, path: LeafPath): void {
    const { image } = this;
    image.f64(record, path.value);
    this.#range(record + at.LEAF_STEPS, this.#steps(path), path.steps.length * at.STEP_BYTES);
    const features = this.#features(path);
    this.#range(record + at.LEAF_FEATURES, features, path.features.length * at.PATH_FEATURE_BYTES);
    if (path.features.length <= TABLE_FEATURES_MAX) {
      image.address(record + at.LEAF_TABLE, this.#table(path));
      return;
    }
    const count = Math.ceil(path.features.length / 2);
    this.#range(record + at.LEAF_POINTS, this.#pointsOf(count), count * at.POINT_BYTES);
  }

  #range(place: number, start: number, bytes: number): void {
    this.image.address(place, start);
    this.image.address(place + 4, start + bytes);
  }

  #steps({ tree, steps }: LeafPath): number {
    const start = this.image.reserve(steps.length * at.STEP_BYTES);
    steps.forEach(({ node, right, bit }, i) => {
      const { copy, threshold } = comparisonOf(this.#ensemble, tree, node);
      const place = start + i * at.STEP_BYTES;
      this.image.f64(place, threshold);
      this.image.u32(place + 8, this.copies.numberOf(copy) * 8);
      this.image.u32(place + 12, bit | (right ? 1 << 16 : 0));
    });
    return start;
  }

  #features({ features, shares, output }: LeafPath): number {
    const start = this.image.reserve(features.length * at.PATH_FEATURE_BYTES);
    features.forEach((feature, j) => {
      const place = start + j * at.PATH_FEATURE_BYTES;
      this.image.f64(place, shares[j]!);
      this.image.f64(place + 8, 1 / shares[j]! - 1);
      const index = output * this.#ensemble.inputs.length + feature;
      this.image.address(place + 16, this.#contributions + index * 8);
    });
    return start;
  }

  #table(path: LeafPath): number {
    const table = subsetTable(path);
    const start = this.image.reserve(table.byteLength);
    table.forEach((value, set) => {
      this.image.f64(start + set * 8, value);
    });
    return start;
  }

  #pointsOf(count: number): number {
    const known = this.#points.get(count);
    if (known !== undefined) return known;
    const { points, weights } = gaussLegendre(count);
    const start = this.image.reserve(count * at.POINT_BYTES);
    points.forEach((t, i) => {
      this.image.f64(start + i * at.POINT_BYTES, t);
      this.image.f64(start + i * at.POINT_BYTES + 8, weights[i]!);
    });
    this.#points.set(count, start);
    return start;
  }
}

/** Builds the image; input i of the ensemble is read at vector place i. Throws BUNDLE_TOO_LARGE, BUNDLE_MODEL (no covers). */
export function buildShapImage(ensemble: Ensemble, maxBytes: number): ShapImage {
  const paths = leafPaths(ensemble);
  const image = new Image(maxBytes);
  const record = image.reserve(at.DETECTOR_BYTES);
  const size = ensemble.outputs * ensemble.inputs.length * 8;
  const contributions = image.reserve(size);
  const leaves = image.reserve(paths.length * at.LEAF_BYTES);
  const writer = new Writer(ensemble, image, contributions);
  paths.forEach((path, i) => {
    writer.leaf(leaves + i * at.LEAF_BYTES, path);
  });
  const addressOf = (input: number) => at.VECTOR_PTR + input * 8;
  const copies = writeCopies(image, writer.copies.list, writeSets(image, ensemble), addressOf);
  image.u32(record + at.DETECTOR_FLAGS, ensemble.f32Input ? at.DETECTOR_FLAG_F32_INPUT : 0);
  image.address(record + at.DETECTOR_COPIES, copies);
  image.address(record + at.DETECTOR_COPIES_END, copies + writer.copies.list.length * at.COPY_BYTES);
  image.address(record + at.EXPLAIN_LEAVES, leaves);
  image.address(record + at.EXPLAIN_LEAVES_END, leaves + paths.length * at.LEAF_BYTES);
  image.address(record + at.EXPLAIN_OUT, contributions);
  image.address(record + at.EXPLAIN_OUT_END, contributions + size);
  return { ...image.finish(), record, contributions };
}
