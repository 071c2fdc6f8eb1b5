// The only exports of the scoring core: run the detectors of a bundle image, run one detector, explain one
// margin.
// Nothing here allocates, grows memory or imports; the image was validated and built by the host before it
// came here.

import * as at from '../layout';
import { runRankRow } from './rank-row';
import { explainRow } from './shap';
import { runTr8 } from './tr8';

/** Runs one detector: reads the vector, writes its slots. `detector` is the address of its record. */
export function runDetector(detector: usize): void {
  assert(detector >= <usize>at.ARENA_BASE);
  if (load<u32>(detector, at.DETECTOR_KERNEL) == at.KERNEL_B) {
    runTr8(detector);
  } else {
    runRankRow(detector);
  }
}

/** Runs every detector of the image that is not on demand, in order; gives the raw margin of the verdict. */
export function score(image: usize): f64 {
  let detector = load<usize>(image, at.IMAGE_DETECTORS);
  const end = load<usize>(image, at.IMAGE_DETECTORS_END);
  while (detector < end) {
    runDetector(detector);
    detector += <usize>at.DETECTOR_BYTES;
  }
  return load<f64>(load<usize>(image, at.IMAGE_VERDICT_SLOT));
}

/** Contributions of each input to the margin of the row in the vector; `record` is the address of its explain record. */
export function explain(record: usize): void {
  assert(record >= <usize>at.ARENA_BASE);
  explainRow(record);
}
