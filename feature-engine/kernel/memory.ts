// The feature engine's memory: one shared WebAssembly memory of fixed size, cut into regions at start, with the kernels that work
// on it. Kernels keep no state outside of it; other threads may read it. It never grows. Called by engine.ts and by tests.

import { type SharedWasmMemory, wasm } from '../../domain/webassembly.ts';
import { BY_BITS } from '../sketch.ts';
import { distanceKm } from '../travel.ts';
import type { BucketKernels } from './bucket-kernels.ts';
import type { CrossingKernels } from './crossing-kernels.ts';
import type { HeadKernels } from './head-kernels.ts';
import { LOG_TABLE } from './log-table.ts';
import { type KernelVariant, loadKernelModule } from './module.ts';
import type { ObjectKernels } from './object-kernels.ts';
import type { RouteKernels } from './route-kernels.ts';
import type { RowKernels } from './row-kernels.ts';
import type { SessionKernels } from './session-kernels.ts';

const PAGE_BYTES = 65_536;
const LINE_BYTES = 64;
/** What the kernels' own tables take at most, below the first region. */
export const KERNEL_TABLES_BYTES = 4 * PAGE_BYTES;

/** Exports of kernel/assembly/index.ts: addresses are bytes from the start of the memory. */
export interface Kernels
  extends BucketKernels,
    CrossingKernels,
    HeadKernels,
    ObjectKernels,
    RouteKernels,
    RowKernels,
    SessionKernels {
  readonly heapBase: { readonly value: number };
  readonly callAt: { readonly value: number };
  readonly estimatesAt: { readonly value: number };
  mix32(value: number): number;
}

export class EngineMemory {
  readonly kernels: Kernels;
  readonly buffer: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly floats: Float32Array;
  readonly doubles: Float64Array;
  /** Regions that snapshots keep. */
  readonly kept: { readonly name: string; readonly at: number; readonly bytes: number }[] = [];
  #next: number;

  /** @param regionBytes sum of what will be taken, each region rounded up to 64 bytes. */
  constructor(regionBytes: number, variant: KernelVariant = 'release') {
    const pages = Math.ceil((KERNEL_TABLES_BYTES + regionBytes) / PAGE_BYTES);
    const memory: SharedWasmMemory = new wasm.Memory({ initial: pages, maximum: pages, shared: true });
    const instance = new wasm.Instance(loadKernelModule(variant), { env: { memory }, host: { distanceKm } });
    this.kernels = instance.exports as unknown as Kernels;
    this.buffer = memory.buffer;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Uint32Array(memory.buffer);
    this.floats = new Float32Array(memory.buffer);
    this.doubles = new Float64Array(memory.buffer);
    this.#next = KERNEL_TABLES_BYTES;
    this.doubles.set(
      BY_BITS.flatMap((table) => [...table]),
      this.kernels.estimatesAt.value / 8,
    );
    this.doubles.set(LOG_TABLE, this.kernels.logsAt.value / 8);
    if (this.kernels.heapBase.value > KERNEL_TABLES_BYTES)
      throw new RangeError(
        `the kernels' tables end at ${this.kernels.heapBase.value}, over ${KERNEL_TABLES_BYTES}`,
      );
  }

  /**
   * Address of a zeroed region, at a cache line. Throws RangeError when the memory was planned too small.
   * @param kept names a region that snapshots keep and put back as it is: nothing in it may depend on this process.
   */
  take(regionBytes: number, kept?: string): number {
    const at = this.#next;
    if (kept !== undefined) this.kept.push({ name: kept, at, bytes: regionBytes });
    this.#next = at + Math.ceil(regionBytes / LINE_BYTES) * LINE_BYTES;
    if (this.#next > this.bytes.length)
      throw new RangeError(`the engine's memory of ${this.bytes.length} bytes is too small`);
    return at;
  }
}
