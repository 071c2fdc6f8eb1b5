// The novelty experiment on the public sets beside scikit-learn on the same rows (scripts/fixtures/novelty_fit.py): the mean of
// 20 forests within 0.01 AUROC of the mean of 100, or within what chance does (three standard errors) where that is more; the
// others draw the very orders that scikit-learn drew, so each seed's AUROC is the same.
// Needs ../shared/data beside the repository; says so when it is absent.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decideDoseSvm, fitDoseSvm } from '../../training/dose-svm.ts';
import { decideEnvelope, fitEnvelope } from '../../training/elliptic-envelope.ts';
import { type NoveltyMetric, type NoveltyTables, runNovelty } from '../../training/experiments/novelty.ts';
import { readBeth, readCsic, readKddHttp } from '../../training/experiments/novelty-data.ts';
import {
  byDecision,
  NOVELTY_DETECTORS,
  type NoveltyDetector,
  type NoveltyDetectorName,
} from '../../training/experiments/novelty-detectors.ts';
import { meanAndSd } from '../../training/metrics.ts';
import { decideSgdOneClass, fitSgdOneClass } from '../../training/sgd-one-class.ts';
import { NumpyRandom } from '../support/numpy-random.ts';
import { farthest } from './estimator-fixtures.ts';

const DATA = join(import.meta.dirname, '../../../shared/data');
const MEANS_APART_MAX = 0.01;
const PAIRED_APART_MAX = 1e-6;
const MINUTES = 60_000;
/** What numpy's randint(0, 2**31 - 1) can give at most. */
const SHUFFLE_SEED_MAX = 2147483646;

const shuffled = (seed: number) => ({ shuffleSeed: new NumpyRandom(seed).upTo(SHUFFLE_SEED_MAX) });

/** The experiment's detectors with scikit-learn's draws. */
const PAIRED: readonly NoveltyDetector[] = [
  {
    name: 'sgd_one_class',
    fit: (train, seed) => {
      const model = fitSgdOneClass(train, shuffled(seed));
      return { judge: byDecision((row) => decideSgdOneClass(model, row)) };
    },
  },
  {
    name: 'dose_svm',
    fit: (train, seed) => {
      const model = fitDoseSvm(train, { svm: shuffled(seed), varianceShareMin: 0 });
      return { judge: byDecision((row) => decideDoseSvm(model, row)) };
    },
  },
  {
    name: 'elliptic_envelope',
    fit: (train, seed) => {
      const { permutation } = new NumpyRandom(seed);
      const model = fitEnvelope(train, { contamination: 0.1, seed, permutation });
      return { judge: byDecision((row) => decideEnvelope(model, row)) };
    },
  },
];

const FOREST_SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

/** Sets of so many repeats that ties choose the envelope's half of the rows: it warns, and cannot be paired. */
const FLAT_SETS = ['csic2010'];

interface Reference {
  readonly split_seed: number;
  readonly tables: Readonly<
    Record<
      string,
      {
        readonly rows: Readonly<Record<'train' | 'validation' | 'test', number>>;
        readonly metrics: Readonly<Record<NoveltyMetric, readonly number[]>>;
      }
    >
  >;
}

const REFERENCE = JSON.parse(
  readFileSync(new URL('../fixtures/estimators/novelty-1.9.json', import.meta.url), 'utf8'),
) as Reference;

const SETS: Readonly<Record<string, () => Promise<NoveltyTables>>> = {
  kdd99_http: () => readKddHttp(join(DATA, 'kdd99_http'), REFERENCE.split_seed),
  csic2010: () => readCsic(join(DATA, 'csic2010'), REFERENCE.split_seed),
};

describe.each(Object.keys(SETS))('%s', (name) => {
  if (!existsSync(join(DATA, name))) {
    it.skip(`shared/data is absent: no ${name} beside the repository`, () => {});
    return;
  }
  const { rows, metrics } = REFERENCE.tables[name]!;

  it(
    'isolation forest: mean AUROC over 20 seeds is scikit-learn’s over 100',
    async () => {
      const detectors = NOVELTY_DETECTORS.filter((one) => one.name === 'isolation_forest');
      const result = runNovelty(await SETS[name]!(), { seeds: FOREST_SEEDS, detectors });
      expect(result.rows).toEqual(rows);
      expect(Object.keys(result.metrics)).toHaveLength(4);
      for (const [metric, { mean }] of Object.entries(result.metrics)) {
        const theirs = metrics[metric as NoveltyMetric];
        const { mean: expected, sd } = meanAndSd(theirs);
        const chance = 3 * sd * Math.sqrt(1 / FOREST_SEEDS.length + 1 / theirs.length);
        const apart = Math.abs(mean - expected);
        expect(apart, `${metric}: ${mean} and ${expected}`).toBeLessThanOrEqual(
          Math.max(MEANS_APART_MAX, chance),
        );
      }
    },
    5 * MINUTES,
  );

  const isFlat = FLAT_SETS.includes(name);

  const warns = async () => {
    const detectors = NOVELTY_DETECTORS.filter((one) => one.name === 'elliptic_envelope');
    const { notes } = runNovelty(await SETS[name]!(), { seeds: [1], detectors });
    expect(notes.join()).toContain('lie in a plane');
  };
  if (isFlat) it('elliptic envelope: warns that the rows lie in a plane', warns);

  it.each(PAIRED.filter((one) => !isFlat || one.name !== 'elliptic_envelope'))(
    '$name: AUROC of scikit-learn, seed by seed',
    async (detector) => {
      const result = runNovelty(await SETS[name]!(), {
        seeds: seedsOf(detector.name),
        detectors: [detector],
      });
      expect(Object.keys(result.metrics)).toHaveLength(4);
      for (const [metric, { values }] of Object.entries(result.metrics)) {
        const theirs = metrics[metric as NoveltyMetric];
        expect(farthest(values, theirs), `${metric}: ${values} and ${theirs}`).toBeLessThan(PAIRED_APART_MAX);
      }
      expect(result.tooSpread).toEqual(detector.name === 'elliptic_envelope' ? [] : [detector.name]);
    },
    5 * MINUTES,
  );

  function seedsOf(detector: NoveltyDetectorName): number[] {
    return metrics[`${detector}_test_scores`].map((_, i) => i + 1);
  }
});

describe('beth_stub', () => {
  if (!existsSync(join(DATA, 'beth_stub'))) {
    it.skip('shared/data is absent: no beth_stub beside the repository', () => {});
    return;
  }

  it('has the schema of BETH, and goes through the whole workflow', async () => {
    const tables = await readBeth(join(DATA, 'beth_stub'));
    const result = runNovelty(tables, { seeds: [1, 2] });
    expect(result.rows).toEqual({ train: 100, validation: 100, test: 100 });
    expect(Object.keys(result.metrics)).toHaveLength(16);
  });
});
