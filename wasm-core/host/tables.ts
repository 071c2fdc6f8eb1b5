// From canonical trees to a kernel image: picks kernel A or B for each detector and writes records and
// tables.
// Runs off the request's way; the result is plain bytes and numbers that can be sent to a data thread.
// Called by prepare.ts.

import * as at from '../layout.ts';
import type { Detector } from './ensemble.ts';
import { SLOT_INPUT, VERDICT } from './ensemble.ts';
import { Image } from './image.ts';
import { planRankRow, writeRankRow } from './rank-row-table.ts';
import { writeTr8 } from './tr8-table.ts';

export type Kernel = 'rank-row' | 'tr8';

export interface TableOptions {
  /** Kernel A is taken while its rows stay within this; default 1 MiB. 0 forces kernel B. */
  readonly rowTableMaxBytes: number;
  /** Most bytes of the whole image: an arena. */
  readonly imageMaxBytes: number;
}

/** A detector as the core sees it. */
export interface PlacedDetector {
  readonly name: string;
  readonly kernel: Kernel;
  readonly onDemand: boolean;
  /** Vector place of its first slot, and how many there are. */
  readonly place: number;
  readonly outputs: number;
  /** Offset of its record in the image. */
  readonly record: number;
}

export interface KernelImage {
  readonly bytes: ArrayBuffer;
  /** (start, stride, count) triples of u32 values that are offsets into the image. */
  readonly relocations: Uint32Array;
  readonly detectors: readonly PlacedDetector[];
}

function flagsOf({ ensemble }: Detector): number {
  return (
    (ensemble.f32Input ? at.DETECTOR_FLAG_F32_INPUT : 0) |
    (ensemble.accum === 'f32' ? at.DETECTOR_FLAG_F32_SUM : 0) |
    (ensemble.kind === 'rf_mean' ? at.DETECTOR_FLAG_MEAN : 0)
  );
}

function vectorAddress(place: number): number {
  return at.VECTOR_PTR + place * 8;
}

interface Placing {
  /** Vector place of each of the bundle's features, and of slot 0. */
  readonly places: readonly number[];
  readonly slotsAt: number;
}

function writeDetector(
  image: Image,
  detector: Detector,
  record: number,
  placing: Placing & TableOptions,
): Kernel {
  const { ensemble } = detector;
  const outputs = image.reserve(ensemble.outputs * at.OUTPUT_BYTES);
  ensemble.base.forEach((base, output) => {
    const trees = ensemble.trees.filter((tree) => tree.output === output).length;
    image.f64(outputs + output * at.OUTPUT_BYTES + at.OUTPUT_BASE, base);
    image.f64(outputs + output * at.OUTPUT_BYTES + at.OUTPUT_DIVISOR, trees || 1);
  });
  image.u32(record + at.DETECTOR_FLAGS, flagsOf(detector));
  image.u32(record + at.DETECTOR_SLOT, vectorAddress(placing.slotsAt + detector.slot));
  image.address(record + at.DETECTOR_OUTPUTS, outputs);
  image.address(record + at.DETECTOR_OUTPUTS_END, outputs + ensemble.outputs * at.OUTPUT_BYTES);
  const addressOf = (index: number) => {
    const input = ensemble.inputs[index]!;
    return vectorAddress(
      input & SLOT_INPUT ? placing.slotsAt + (input ^ SLOT_INPUT) : placing.places[input]!,
    );
  };
  const plan = planRankRow(ensemble, placing.rowTableMaxBytes);
  if (plan === null) writeTr8(image, ensemble, record, addressOf);
  else writeRankRow(image, plan, record, addressOf);
  return plan === null ? 'tr8' : 'rank-row';
}

/** Builds the image. Throws PicketError BUNDLE_TOO_LARGE when it does not fit. */
export function buildImage(detectors: readonly Detector[], placing: Placing & TableOptions): KernelImage {
  const image = new Image(placing.imageMaxBytes);
  const header = image.reserve(at.IMAGE_HEADER_BYTES);
  const ordered = [...detectors.filter((d) => !d.onDemand), ...detectors.filter((d) => d.onDemand)];
  const records = image.reserve(ordered.length * at.DETECTOR_BYTES);
  const placed = ordered.map((detector, i) => {
    const record = records + i * at.DETECTOR_BYTES;
    return {
      name: detector.name,
      kernel: writeDetector(image, detector, record, placing),
      onDemand: detector.onDemand,
      place: placing.slotsAt + detector.slot,
      outputs: detector.ensemble.outputs,
      record,
    };
  });
  const inline = detectors.filter((d) => !d.onDemand).length;
  image.address(header + at.IMAGE_DETECTORS, records);
  image.address(header + at.IMAGE_DETECTORS_END, records + inline * at.DETECTOR_BYTES);
  const verdict = detectors.find((d) => d.name === VERDICT)!;
  image.u32(header + at.IMAGE_VERDICT_SLOT, vectorAddress(placing.slotsAt + verdict.slot));
  return { ...image.finish(), detectors: placed };
}
