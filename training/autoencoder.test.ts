// The autoencoder: its gradients against finite differences, determinism, early stopping, what it makes of rows far from normal.
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../domain/random.ts';
import { encodeRow, fitAutoencoder, latentDeviation, reconstructRow } from './autoencoder.ts';
import { copyOf, firstLayers, neuronSum, outputOf, Trainer } from './dense-layers.ts';
import { type Matrix, matrixFromRows, rowOf } from './matrix.ts';

/** Six columns that two hidden figures make. */
function planeRows(rowCount: number, seed: number): Matrix {
  const random = seededRandom(seed);
  return matrixFromRows(
    Array.from({ length: rowCount }, () => {
      const [a, b] = [random.normal(), random.normal()];
      return [a, b, a + b, a - b, 2 * a + 0.01 * random.normal(), 3 + b];
    }),
  );
}

const rows = planeRows(600, 4);
const options = { encoder: [5, 2], seed: 8, epochsMax: 200, learningRate: 0.01 };
const model = fitAutoencoder(rows, options);

describe('autoencoder', () => {
  it('gives rows of its plane back, through two latent values', () => {
    expect(model.validationLoss).toBeLessThan(0.02);
    expect(encodeRow(model, rowOf(rows, 0))).toHaveLength(2);
    const row = rowOf(planeRows(1, 99), 0);
    const made = reconstructRow(model, row);
    row.forEach((value, c) => {
      const standard = (value - model.scaler.mean[c]!) / model.scaler.scale[c]!;
      expect(Math.abs(made[c]! - standard)).toBeLessThan(0.6);
    });
  });

  it('deviates most for rows that lie farthest out', () => {
    const most = Math.max(
      ...Array.from({ length: rows.rowCount }, (_, r) => latentDeviation(model, rowOf(rows, r))),
    );
    for (const times of [10, 100]) {
      const far = [1, 1, 2, 0, 2, 4].map((value) => value * times);
      expect(latentDeviation(model, far)).toBeGreaterThan(most);
    }
    expect(latentDeviation(model, [0, 0, 0, 0, 0, 3])).toBeLessThan(most);
  });

  it('is the same for the same seed and another for another', () => {
    expect(fitAutoencoder(rows, options)).toEqual(model);
    expect(fitAutoencoder(rows, { ...options, seed: 9 }).layers).not.toEqual(model.layers);
  });

  it('stops early and reports progress', () => {
    const done: number[] = [];
    const early = fitAutoencoder(rows, {
      ...options,
      epochsMax: 5000,
      patience: 2,
      onProgress: (progress) => done.push(progress.done),
    });
    expect(early.epochs).toBeLessThan(5000);
    expect(done.at(-1)).toBe(early.epochs);
  });

  it('refuses what it cannot learn from', () => {
    expect(() => fitAutoencoder(matrixFromRows([[1, 2]]))).toThrow(/fewer than 10/);
    const holed = planeRows(20, 1);
    holed.values[7] = Number.NaN;
    expect(() => fitAutoencoder(holed)).toThrow(/row 1, column 1 is missing/);
    expect(() => fitAutoencoder(rows, { encoder: [], validationShare: 1 })).toThrow(/not usable/);
  });
});

describe('dense layers', () => {
  it('add even inputs, odd inputs, then both and the bias', () => {
    const layer = { inputs: 5, outputs: 1, bias: Float64Array.of(0.1), isLinear: true };
    const weights = Float64Array.of(1e16, 1, -1e16, 2, 3);
    expect(neuronSum({ ...layer, weights }, 0, [1, 1, 1, 1, 1])).toBe(1e16 - 1e16 + 3 + (1 + 2) + 0.1);
  });

  it('step against the gradient that finite differences give', () => {
    const batch = planeRows(8, 2);
    const all = Uint32Array.from({ length: 8 }, (_, r) => r);
    const layers = firstLayers([6, 5, 2], seededRandom(3));
    const before = copyOf(layers);
    const rate = 1e-3;
    new Trainer(layers, rate).step(batch, all);
    const loss = (changed: typeof before) => {
      let sum = 0;
      for (const r of all) {
        const row = rowOf(batch, r);
        const made = outputOf(changed, changed.length - 1, row);
        row.forEach((value, c) => {
          sum += (made[c]! - value) ** 2;
        });
      }
      return sum / 8 / 6;
    };
    let compared = 0;
    before.forEach((layer, l) => {
      layer.weights.forEach((weight, i) => {
        const shift = 1e-5;
        const [up, down] = [copyOf(before), copyOf(before)];
        up[l]!.weights[i] = weight + shift;
        down[l]!.weights[i] = weight - shift;
        const gradient = (loss(up) - loss(down)) / (2 * shift);
        if (Math.abs(gradient) < 1e-4) return;
        // The first step of Adam is the learning rate against the sign of the gradient.
        expect(layers[l]!.weights[i]! - weight).toBeCloseTo(-rate * Math.sign(gradient), 6);
        compared++;
      });
    });
    expect(compared).toBeGreaterThan(40);
  });
});
