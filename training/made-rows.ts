// Seeded made-up rows for tests and benches: a few features of different kinds, classes that follow them with noise.
// Not a model of traffic; the simulator is. Called by tests only.
import { seededRandom } from '../domain/random.ts';
import type { Dataset } from './dataset.ts';

export interface MadeRows {
  readonly seed: number;
  readonly rowCount: number;
  /** 2 or more. */
  readonly classCount: number;
  /** Share of missing values in the second feature. */
  readonly missingShare: number;
}

/** Four features: a normal one, a skewed one with missing values, a whole number 0..9, and noise. */
export function madeRows({ seed, rowCount, classCount, missingShare }: MadeRows): Dataset {
  const random = seededRandom(seed);
  const columns = Array.from({ length: 4 }, () => new Float64Array(rowCount));
  const labels = new Uint8Array(rowCount);
  const margin = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const values = [random.normal(), Math.exp(random.normal()), random.int(10), random.normal()];
    const missing = random.next() < missingShare;
    const pull = missing ? 1.5 : Math.sin(3 * values[1]!);
    margin[row] = 2 * Math.sin(2 * values[0]!) + pull + (values[2]! > 6 ? 1 : -0.5) + 0.5 * random.normal();
    values.forEach((value, f) => {
      columns[f]![row] = f === 1 && missing ? Number.NaN : value;
    });
  }
  const sorted = margin.slice().sort();
  for (let row = 0; row < rowCount; row++) {
    for (let k = 1; k < classCount; k++) {
      if (margin[row]! >= sorted[Math.floor((k * rowCount) / classCount)]!) labels[row] = k;
    }
  }
  return {
    names: ['normal', 'skewed', 'whole', 'noise'],
    columns,
    rowCount,
    labels,
    classNames: Array.from({ length: classCount }, (_, k) => `class_${k}`),
  };
}
