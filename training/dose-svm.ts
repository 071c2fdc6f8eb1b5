// DoSE-SVM as in the BETH work: summary statistics of a row, whitened by PCA, judged by a one-class SVM (after Morningstar and
// others, "Density of States Estimation for Out-of-Distribution Detection", 2021, whose statistics a generative model makes).
// The statistics are the caller's: the notebook takes the standardised columns. Called by experiments/novelty-detectors.ts.
import type { Matrix, Row } from './matrix.ts';
import { fitPca, type PcaModel, projectMatrix, projectRow } from './pca.ts';
import {
  decideSgdOneClass,
  fitSgdOneClass,
  type SgdOneClassModel,
  type SgdOneClassOptions,
} from './sgd-one-class.ts';

export interface DoseSvmOptions {
  readonly svm: Partial<SgdOneClassOptions>;
  /** As in PcaOptions; 0 whitens even directions without variance, as the notebook does, and mostly sees rounding there. */
  readonly varianceShareMin: number;
}

export const DOSE_SVM_DEFAULTS: DoseSvmOptions = { svm: {}, varianceShareMin: 1e-10 };

export interface DoseSvmModel {
  readonly kind: 'dose_svm';
  readonly pca: PcaModel;
  readonly svm: SgdOneClassModel;
}

/** @throws PicketError TRAINING_INVALID as fitPca and fitSgdOneClass. */
export function fitDoseSvm(statistics: Matrix, given: Partial<DoseSvmOptions> = {}): DoseSvmModel {
  const { svm, varianceShareMin } = { ...DOSE_SVM_DEFAULTS, ...given };
  const pca = fitPca(statistics, { whiten: true, varianceShareMin });
  return { kind: 'dose_svm', pca, svm: fitSgdOneClass(projectMatrix(pca, statistics), svm) };
}

/** Signed distance, below 0 is an outlier. */
export function decideDoseSvm(model: DoseSvmModel, row: Row): number {
  return decideSgdOneClass(model.svm, projectRow(model.pca, row));
}
