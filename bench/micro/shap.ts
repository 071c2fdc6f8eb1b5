// What does one explanation cost? 100 trees of 14 leaves over 20 inputs, random rows; and for comparison larger ensembles, the
// last one like a random forest, where most paths have more than 8 features and are integrated.
// Best and median of many rounds, microseconds. `--json` prints one line of JSON last. Run: node bench/micro/shap.ts

import { seededRandom } from '../../domain/random.ts';
import { Explainer } from '../../wasm-core/host/explainer.ts';
import { hardRow, randomEnsemble } from '../../wasm-core/testing/random-ensemble.ts';

const ROUNDS = 41;
const SHAPES = [
  { name: '100 x 14', trees: 100, leaves: 14, inputs: 20, calls: 200 },
  { name: '100 x 31', trees: 100, leaves: 31, inputs: 40, calls: 200 },
  { name: '300 x 31', trees: 300, leaves: 31, inputs: 40, calls: 100 },
  { name: '100 x 200', trees: 100, leaves: 200, inputs: 40, calls: 20 },
] as const;

function measure(shape: (typeof SHAPES)[number]) {
  const random = seededRandom(3);
  const inputs = Array.from({ length: shape.inputs }, (_, i) => i);
  const ensemble = randomEnsemble(random, {
    trees: shape.trees,
    leaves: [shape.leaves, shape.leaves],
    inputs,
  });
  const begin = performance.now();
  const explainer = new Explainer(ensemble);
  const buildMs = performance.now() - begin;
  const rows = Array.from({ length: 64 }, () => hardRow(random, ensemble));
  const rounds = Float64Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    for (let i = 0; i < shape.calls; i++) explainer.explain(rows[i & 63]!);
    return ((performance.now() - start) * 1000) / shape.calls;
  }).sort();
  return {
    shape: shape.name,
    best_us: Number(rounds[0]!.toFixed(2)),
    median_us: Number(rounds[ROUNDS >> 1]!.toFixed(2)),
    build_ms: Number(buildMs.toFixed(1)),
    table_bytes: explainer.tableBytes,
  };
}

const results = SHAPES.map(measure);
console.table(results);
if (process.argv.includes('--json')) console.log(JSON.stringify(results));
