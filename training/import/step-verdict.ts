// A verdict for models whose margin is no logit: one tree over their slot whose leaves are the logit of their score, in 256
// steps. The step at which the library's own prediction turns stands exactly where the library has it, to the bit. Models
// without a score from 0 to 1 (several outputs, counts) get a verdict that never flags. Called by import-bundle.ts.
import type { ModelLink } from '../../domain/model-manifest.ts';
import { type Ensemble, NUMERIC_NODE, slotInput } from '../../wasm-core/host/ensemble.ts';
import { nextDown } from '../../wasm-core/host/float.ts';
import { linked, marginOf } from '../../wasm-core/host/link.ts';
import { CanonicalTrees, type SourceNode } from './canonical-trees.ts';
import type { ImportedModel } from './imported-model.ts';

const STEPS = 256;
/** Its logistic is below every threshold above 0. */
const NEVER = -700;

/** What a verdict needs to know of a model. */
export type SteppedModel = Pick<ImportedModel, 'ensemble' | 'link' | 'turn'>;

export interface StepVerdict {
  readonly ensemble: Ensemble;
  /** Score at and above which it flags. */
  readonly flagAt: number;
  readonly flags: boolean;
}

/** The margin that gives a score, for links that have one. */
function marginAt(link: ModelLink, score: number): number {
  if (link.kind === 'logistic') return marginOf(score) / link.scale;
  if (link.kind === 'depth') return -Math.log2(score) * link.divisor;
  return score;
}

interface Edge {
  readonly score: number;
  /** The last margin below the edge. */
  readonly margin: number;
}

/** Edges in order of score; the one nearest to the turn is the turn. */
function edgesOf({ link, turn }: SteppedModel): { edges: Edge[]; flagAt: number } {
  const edges: Edge[] = [];
  for (let k = 1; k < STEPS; k++) edges.push({ score: k / STEPS, margin: marginAt(link, k / STEPS) });
  const score = turn === null ? Number.NaN : linked(link, Float64Array.of(turn.at))[0]!;
  if (turn === null || !(score > 0 && score < 1)) return { edges, flagAt: 0.5 };
  const nearest = Math.min(STEPS - 1, Math.max(1, Math.round(score * STEPS)));
  edges[nearest - 1] = { score, margin: nextDown(turn.at) };
  return { edges, flagAt: score };
}

/** A balanced tree: leaf i lies between thresholds i - 1 and i. */
function balanced(thresholds: readonly number[], leaves: readonly number[]): SourceNode[] {
  const nodes: SourceNode[] = [];
  const build = (low: number, high: number): number => {
    const at = nodes.push({ leaf: leaves[low]! }) - 1;
    if (low === high) return at;
    const middle = (low + high) >>> 1;
    const left = build(low, middle);
    const right = build(middle + 1, high);
    nodes[at] = { feature: 0, threshold: thresholds[middle]!, flags: NUMERIC_NODE, left, right };
    return at;
  };
  build(0, leaves.length - 1);
  return nodes;
}

function ensembleOf(nodes: readonly SourceNode[], inputs: readonly number[]): Ensemble {
  const canonical = new CanonicalTrees(Math.max(1, inputs.length));
  const read = (node: number): SourceNode => nodes[node]!;
  canonical.add({ place: 'verdict', count: nodes.length, root: 0, read }, 0);
  const { trees } = canonical;
  const fixed = { kind: 'gbdt_logit', outputs: 1, accum: 'f64', f32Input: false, categories: [] } as const;
  return { ...fixed, base: new Float64Array(1), trees, inputs };
}

/** The verdict over slot 0, which holds the model's margin. */
export function stepVerdict(model: SteppedModel): StepVerdict {
  const { link, ensemble } = model;
  if (ensemble.outputs > 1 || link.kind === 'exp' || link.kind === 'softmax') {
    return { ensemble: ensembleOf([{ leaf: NEVER }], []), flagAt: 0.5, flags: false };
  }
  const { edges, flagAt } = edgesOf(model);
  const scores = [0, ...edges.map(({ score }) => score), 1];
  const leaves = edges.map((_, i) => marginOf((scores[i]! + scores[i + 1]!) / 2));
  leaves.push(marginOf((scores[STEPS - 1]! + 1) / 2));
  const thresholds = edges.map(({ margin }) => margin);
  if (link.kind === 'depth') {
    thresholds.reverse();
    leaves.reverse();
  }
  return { ensemble: ensembleOf(balanced(thresholds, leaves), [slotInput(0)]), flagAt, flags: true };
}
