// Rows that ask an imported model where it matters: values at thresholds and beside them, members of category sets and strangers,
// zeros of both signs and missing values. Seeded, so that the same model gives the same golden vectors.
// Called by import-bundle.ts and tests.
import { type Ensemble, NODE_CATEGORY, NODE_NAN_SPLIT, type Tree } from '../../wasm-core/host/ensemble.ts';
import { nextDown, nextDownF32, nextUp } from '../../wasm-core/host/float.ts';

const CANDIDATES_MAX = 4096;
const MISSING_SHARE = 0.1;
const SPECIAL = [0, -0, -1, 1, 1e-35, -1e-36, 0.5, 1e30, -1e30];

/** A small seeded generator of numbers in [0, 1) (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function addCandidates(ensemble: Ensemble, tree: Tree, node: number, lists: readonly number[][]): void {
  const list = lists[tree.feature[node]!]!;
  const threshold = tree.threshold[node]!;
  const flags = tree.flags[node]!;
  if (tree.left[node] === 0 || flags & NODE_NAN_SPLIT || list.length >= CANDIDATES_MAX) return;
  if ((flags & NODE_CATEGORY) === 0) {
    const narrow = Math.fround(threshold);
    list.push(threshold, nextUp(threshold), nextDown(threshold), narrow, -nextDownF32(-narrow));
    return;
  }
  const { left, known } = ensemble.categories[threshold]!;
  for (let bit = 0; bit < known.length * 32 + 2; bit += 1 + (bit >> 5)) {
    const word = (left[bit >>> 5] ?? 0) | (known[bit >>> 5] ?? 0);
    if (word & (1 << (bit & 31)) || bit % 7 === 0 || bit >= known.length * 32) list.push(bit);
  }
  list.push(-1);
}

/** `count` rows for an ensemble: all missing, all zero, then mixtures. */
export function probeRows(ensemble: Ensemble, count: number, seed: number): Float64Array[] {
  const lists: number[][] = ensemble.inputs.map(() => []);
  for (const tree of ensemble.trees) {
    for (let node = 0; node < tree.left.length; node++) addCandidates(ensemble, tree, node, lists);
  }
  const random = seeded(seed);
  const draw = (list: readonly number[]): number => list[Math.floor(random() * list.length)]!;
  return Array.from({ length: count }, (_, row) =>
    Float64Array.from(lists, (list) => {
      if (row === 0) return Number.NaN;
      if (row === 1) return 0;
      const chance = random();
      if (chance < MISSING_SHARE) return Number.NaN;
      return chance < 2 * MISSING_SHARE || list.length === 0 ? draw(SPECIAL) : draw(list);
    }),
  );
}
