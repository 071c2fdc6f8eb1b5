// Dense layers of f64 with ReLU or linear output: first weights, forward pass, and Adam's steps on a batch (Kingma and Ba 2015).
// Sums run over two lanes in a fixed order (`neuronSum`), so that a SIMD kernel can give the same bits. No stopping rule, no
// scaling: those are the autoencoder's, which calls this.
import type { Random } from '../domain/random.ts';
import { type Matrix, type Row, rowOf } from './matrix.ts';

export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** `weights[output * inputs + input]`. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  readonly isLinear: boolean;
}

/** Adam's constants (Kingma and Ba 2015). */
const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

/** Weights uniform within +-sqrt(6 / inputs) (He et al. 2015), biases 0. */
export function firstLayers(widths: readonly number[], random: Random): DenseLayer[] {
  const all = [...widths, ...widths.slice(0, -1).reverse()];
  const bottleneck = widths.length - 2;
  return all.slice(1).map((outputs, l) => {
    const inputs = all[l]!;
    const limit = Math.sqrt(6 / inputs);
    const weights = Float64Array.from({ length: inputs * outputs }, () => (2 * random.next() - 1) * limit);
    const isLinear = l === bottleneck || l === all.length - 2;
    return { inputs, outputs, weights, bias: new Float64Array(outputs), isLinear };
  });
}

export function copyOf(layers: readonly DenseLayer[]): DenseLayer[] {
  return layers.map((layer) => ({ ...layer, weights: layer.weights.slice(), bias: layer.bias.slice() }));
}

/** Even inputs on one lane, odd ones on the other, each in order; then (even + odd) + bias. */
export function neuronSum({ inputs, weights, bias }: DenseLayer, output: number, values: Row): number {
  const from = output * inputs;
  let even = 0;
  let odd = 0;
  for (let i = 0; i + 1 < inputs; i += 2) {
    even += weights[from + i]! * values[i]!;
    odd += weights[from + i + 1]! * values[i + 1]!;
  }
  if (inputs % 2 === 1) even += weights[from + inputs - 1]! * values[inputs - 1]!;
  return even + odd + bias[output]!;
}

function forward(layer: DenseLayer, values: Row, out: Float64Array): void {
  for (let output = 0; output < layer.outputs; output++) {
    const sum = neuronSum(layer, output, values);
    out[output] = layer.isLinear || sum > 0 ? sum : 0;
  }
}

/** Outputs of the layers up to and with `last`, for a standardised row. */
export function outputOf(layers: readonly DenseLayer[], last: number, row: Row): Float64Array {
  let values = Float64Array.from(row);
  for (let l = 0; l <= last; l++) {
    const next = new Float64Array(layers[l]!.outputs);
    forward(layers[l]!, values, next);
    values = next;
  }
  return values;
}

/** Gradients and Adam's moments of one layer. */
class LayerState {
  readonly outputs: Float64Array;
  readonly deltas: Float64Array;
  readonly gradients: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;

  constructor({ inputs, outputs }: DenseLayer) {
    const size = inputs * outputs + outputs;
    this.outputs = new Float64Array(outputs);
    this.deltas = new Float64Array(outputs);
    this.gradients = new Float64Array(size);
    this.first = new Float64Array(size);
    this.second = new Float64Array(size);
  }
}

/** Steps of Adam on the mean squared error of a batch. */
export class Trainer {
  readonly #layers: readonly DenseLayer[];
  readonly #states: readonly LayerState[];
  readonly #learningRate: number;
  /** BETA_1 and BETA_2 to the number of steps. */
  #decay1 = 1;
  #decay2 = 1;

  constructor(layers: readonly DenseLayer[], learningRate: number) {
    this.#layers = layers;
    this.#states = layers.map((layer) => new LayerState(layer));
    this.#learningRate = learningRate;
  }

  step(matrix: Matrix, rows: Uint32Array): void {
    for (const state of this.#states) state.gradients.fill(0);
    const scale = 2 / rows.length / matrix.columnCount;
    for (const row of rows) this.#addGradients(rowOf(matrix, row), scale);
    this.#decay1 *= BETA_1;
    this.#decay2 *= BETA_2;
    this.#layers.forEach((layer, l) => {
      this.#update(layer, this.#states[l]!);
    });
  }

  #addGradients(row: Float64Array, scale: number): void {
    this.#layers.forEach((layer, l) => {
      forward(layer, l === 0 ? row : this.#states[l - 1]!.outputs, this.#states[l]!.outputs);
    });
    const last = this.#states.at(-1)!;
    for (let c = 0; c < row.length; c++) last.deltas[c] = (last.outputs[c]! - row[c]!) * scale;
    for (let l = this.#layers.length - 1; l >= 0; l--) {
      const layer = this.#layers[l]!;
      const state = this.#states[l]!;
      addLayerGradients(layer, state, l === 0 ? row : this.#states[l - 1]!.outputs);
      if (l > 0) spreadBack(layer, state.deltas, this.#layers[l - 1]!, this.#states[l - 1]!);
    }
  }

  #update({ weights, bias }: DenseLayer, { gradients, first, second }: LayerState): void {
    const rate = (this.#learningRate * Math.sqrt(1 - this.#decay2)) / (1 - this.#decay1);
    for (let i = 0; i < gradients.length; i++) {
      const gradient = gradients[i]!;
      first[i] = BETA_1 * first[i]! + (1 - BETA_1) * gradient;
      second[i] = BETA_2 * second[i]! + (1 - BETA_2) * gradient * gradient;
      const change = (rate * first[i]!) / (Math.sqrt(second[i]!) + EPSILON);
      if (i < weights.length) weights[i]! -= change;
      else bias[i - weights.length]! -= change;
    }
  }
}

function addLayerGradients({ inputs, outputs }: DenseLayer, state: LayerState, values: Float64Array): void {
  for (let output = 0; output < outputs; output++) {
    const delta = state.deltas[output]!;
    if (delta === 0) continue;
    for (let i = 0; i < inputs; i++) state.gradients[output * inputs + i]! += delta * values[i]!;
    state.gradients[inputs * outputs + output]! += delta;
  }
}

/** Deltas of the layer before: through the weights, and 0 where its ReLU was shut. */
function spreadBack(layer: DenseLayer, deltas: Float64Array, before: DenseLayer, state: LayerState): void {
  for (let i = 0; i < before.outputs; i++) {
    let sum = 0;
    for (let output = 0; output < layer.outputs; output++) {
      sum += layer.weights[output * layer.inputs + i]! * deltas[output]!;
    }
    state.deltas[i] = before.isLinear || state.outputs[i]! > 0 ? sum : 0;
  }
}
