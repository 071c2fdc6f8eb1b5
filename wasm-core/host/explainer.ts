// Explains one detector's raw margins: an instance of the core with a memory of its own, so that scoring is never touched and the
// tables exist only where somebody asks. Off the request's way. Called by cli/score.ts, the control thread and the control plane.

import { PicketError } from '../../domain/errors.ts';
import { type WasmMemory, wasm } from '../../domain/webassembly.ts';
import * as at from '../layout.ts';
import { type CoreVariant, loadCoreModule } from './core-module.ts';
import type { Ensemble } from './ensemble.ts';
import { buildShapImage } from './shap-image.ts';
import { divisors, type Explanation, explanationBias } from './shap-reference.ts';

/** Most bytes of the tables of one explainer. */
const TABLES_MAX_BYTES = 64 * 2 ** 20;

interface ExplainExports {
  readonly memory: WasmMemory;
  explain(record: number): void;
}

export class Explainer {
  /** Margin before any input is known, one an output. */
  readonly bias: Float64Array;
  /** Bytes of the tables. */
  readonly tableBytes: number;
  readonly #exports: ExplainExports;
  readonly #record: number;
  readonly #vector: Float64Array;
  readonly #contributions: Float64Array;
  readonly #divisors: Float64Array;

  /** Throws BUNDLE_MODEL for an ensemble without covers, BUNDLE_TOO_LARGE for tables over 64 MiB. */
  constructor(ensemble: Ensemble, variant: CoreVariant = 'release') {
    const image = buildShapImage(ensemble, TABLES_MAX_BYTES);
    const instance = new wasm.Instance(loadCoreModule(variant), {});
    this.#exports = instance.exports as unknown as ExplainExports;
    const { memory } = this.#exports;
    const pages = Math.ceil((at.ARENA_BASE + image.bytes.byteLength) / at.PAGE_BYTES);
    memory.grow(Math.max(0, pages - memory.buffer.byteLength / at.PAGE_BYTES));
    new Uint8Array(memory.buffer).set(new Uint8Array(image.bytes), at.ARENA_BASE);
    relocate(new Uint32Array(memory.buffer), image.relocations);
    this.#record = at.ARENA_BASE + image.record;
    this.#vector = new Float64Array(memory.buffer, at.VECTOR_PTR, ensemble.inputs.length);
    const size = ensemble.outputs * ensemble.inputs.length;
    this.#contributions = new Float64Array(memory.buffer, at.ARENA_BASE + image.contributions, size);
    this.#divisors = divisors(ensemble);
    this.bias = explanationBias(ensemble);
    this.tableBytes = image.bytes.byteLength;
  }

  /** Explains one row; `inputs` holds a value for each of the ensemble's inputs, NaN = missing. Throws CORE_TRAP. */
  explain(inputs: ArrayLike<number>): Explanation {
    const width = this.#vector.length;
    for (let i = 0; i < width; i++) this.#vector[i] = inputs[i]!;
    try {
      this.#exports.explain(this.#record);
    } catch (cause) {
      throw new PicketError('CORE_TRAP', 'the explaining core trapped', { cause });
    }
    const contributions = this.#contributions.map((sum, i) => sum / this.#divisors[Math.floor(i / width)]!);
    return { bias: this.bias, contributions };
  }
}

function relocate(words: Uint32Array, relocations: Uint32Array): void {
  for (let i = 0; i < relocations.length; i += 3) {
    const stride = relocations[i + 1]! >>> 2;
    const count = relocations[i + 2]!;
    let word = (at.ARENA_BASE + relocations[i]!) >>> 2;
    for (let k = 0; k < count; k++, word += stride) words[word] = words[word]! + at.ARENA_BASE;
  }
}
