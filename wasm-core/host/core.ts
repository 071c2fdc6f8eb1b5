// The scoring core at work: one WebAssembly instance, fixed memory, three arenas, a typed view on the vector.
// score() is one call into WebAssembly: it allocates nothing and grows nothing. A swap replaces one record
// between two requests.
// The only file that touches WebAssembly. One Core per data thread; called by the proxy, training, offline
// runs and self-tests.

import { PicketError } from '../../domain/errors.ts';
import { type WasmMemory, wasm } from '../../domain/webassembly.ts';
import * as at from '../layout.ts';
import { alignUp } from './bundle-format.ts';
import { type CoreVariant, loadCoreModule } from './core-module.ts';
import type { PreparedBundle } from './prepare.ts';
import type { PlacedDetector } from './tables.ts';

export const ARENA_BYTES_DEFAULT = 5_526_848;
const ARENA_COUNT = 3;
/** What a core with default arenas takes, give or take a page: for memory plans made before there is one. */
export const CORE_BYTES_DEFAULT = at.ARENA_BASE + ARENA_COUNT * ARENA_BYTES_DEFAULT;
/** Enough executed code for the optimising compiler; in trees walked, so that a large model warms up as long as a small one. */
const WARM_UP_CALLS_MAX = 3000;
const WARM_UP_TREES = 300_000;

export interface CoreOptions {
  /** Size of each of the three arenas; default 5.27 MiB, which makes 16 MiB of memory in all. */
  readonly arenaBytes?: number;
  readonly variant?: CoreVariant;
}

interface CoreExports {
  readonly memory: WasmMemory;
  score(image: number): number;
  runDetector(detector: number): void;
}

interface Arena {
  readonly ptr: number;
  prepared: PreparedBundle | null;
  onDemand: ReadonlyMap<string, PlacedDetector>;
}

export interface CoreMemoryPlan {
  readonly fixedBytes: number;
  readonly arenaBytes: number;
  readonly arenaCount: number;
  /** All of the WebAssembly memory; pages that were never touched cost no RSS. */
  readonly totalBytes: number;
}

/** What a Core with these options takes, without making one: for the memory plan at start. */
export function planCoreMemory(options: CoreOptions = {}): CoreMemoryPlan {
  const arenaBytes = alignUp(options.arenaBytes ?? ARENA_BYTES_DEFAULT, at.ALIGN_BYTES);
  return {
    fixedBytes: at.ARENA_BASE,
    arenaBytes,
    arenaCount: ARENA_COUNT,
    totalBytes: alignUp(at.ARENA_BASE + ARENA_COUNT * arenaBytes, at.PAGE_BYTES),
  };
}

function trapped(cause: unknown): PicketError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new PicketError('CORE_TRAP', `the scoring core trapped: ${message}`, { cause });
}

export class Core {
  readonly #variant: CoreVariant;
  readonly #plan: CoreMemoryPlan;
  #exports!: CoreExports;
  #memory!: Uint8Array;
  #words!: Uint32Array;
  #vector!: Float64Array;
  #arenas: Arena[] = [];
  #active: Arena | null = null;
  #previous: Arena | null = null;
  #candidate: Arena | null = null;
  /** Address of the active image; 0 = none. The one record that a swap changes. */
  #image = 0;

  constructor(options: CoreOptions = {}) {
    this.#variant = options.variant ?? 'release';
    this.#plan = planCoreMemory(options);
    this.#instantiate();
  }

  /**
   * The feature vector: features at the places of the offered list, detector slots right after them.
   * The view changes with `reset()`: read it anew afterwards.
   */
  get vector(): Float64Array {
    return this.#vector;
  }

  /** Bundle id of the active bundle; null when there is none. */
  get activeId(): string | null {
    return this.#active?.prepared?.id ?? null;
  }

  get previousId(): string | null {
    return this.#previous?.prepared?.id ?? null;
  }

  get candidateId(): string | null {
    return this.#candidate?.prepared?.id ?? null;
  }

  /** The active bundle as it was prepared: manifest, thresholds, detectors and their places. */
  get active(): PreparedBundle | null {
    return this.#active?.prepared ?? null;
  }

  memoryPlan(): CoreMemoryPlan {
    return this.#plan;
  }

  /** Copies a prepared bundle into the free arena as candidate; a candidate that stood there is replaced. */
  stage(prepared: PreparedBundle): void {
    const { image, relocations } = prepared;
    if (image.byteLength > this.#plan.arenaBytes) {
      throw new PicketError(
        'BUNDLE_TOO_LARGE',
        `bundle ${prepared.id}: ${image.byteLength} bytes, over an arena of ${this.#plan.arenaBytes}`,
      );
    }
    if (prepared.slotsAt + prepared.slotCount > at.VECTOR_PLACES) {
      throw new PicketError(
        'BUNDLE_TOO_LARGE',
        `bundle ${prepared.id}: over ${at.VECTOR_PLACES} vector places`,
      );
    }
    const arena = this.#arenas.find((a) => a !== this.#active && a !== this.#previous)!;
    this.#memory.set(new Uint8Array(image), arena.ptr);
    for (let i = 0; i < relocations.length; i += 3) {
      const stride = relocations[i + 1]! >>> 2;
      const count = relocations[i + 2]!;
      let word = (arena.ptr + relocations[i]!) >>> 2;
      for (let k = 0; k < count; k++, word += stride) this.#words[word] = this.#words[word]! + arena.ptr;
    }
    arena.prepared = prepared;
    arena.onDemand = new Map(prepared.detectors.map((detector) => [detector.name, detector]));
    this.#candidate = arena;
  }

  /**
   * Runs the candidate's golden vectors, then `calls` more for the optimising compiler to notice; by default 3,000, fewer for
   * models of over 100 trees (a few milliseconds either way). Leaves the vector as it was.
   * Throws BUNDLE_SELF_TEST when a margin has other bits, CORE_TRAP on a trap.
   */
  warmUp(calls?: number): void {
    const arena = this.#candidate;
    if (arena === null) throw new PicketError('NOT_FOUND', 'no candidate is staged');
    const kept = this.#vector.slice();
    try {
      const { golden, trees } = arena.prepared!;
      for (let row = 0; row < golden.rows; row++) this.#checkGolden(arena, row);
      const more = calls ?? Math.min(WARM_UP_CALLS_MAX, Math.ceil(WARM_UP_TREES / Math.max(1, trees)));
      for (let call = 0; call < more; call++) this.#exports.score(arena.ptr);
    } catch (error) {
      throw error instanceof PicketError ? error : trapped(error);
    } finally {
      this.#vector.set(kept);
    }
  }

  #checkGolden(arena: Arena, row: number): void {
    const { golden, places, detectors, slotsAt, slotCount, id } = arena.prepared!;
    places.forEach((place, i) => {
      this.#vector[place] = golden.features[row * places.length + i]!;
    });
    this.#exports.score(arena.ptr);
    for (const detector of detectors)
      if (detector.onDemand) this.#exports.runDetector(arena.ptr + detector.record);
    for (let slot = 0; slot < slotCount; slot++) {
      const found = this.#vector[slotsAt + slot]!;
      const expected = golden.slots[row * slotCount + slot]!;
      if (Object.is(found, expected)) continue;
      const name = detectors.find(
        (d) => slotsAt + slot >= d.place && slotsAt + slot < d.place + d.outputs,
      )?.name;
      throw new PicketError(
        'BUNDLE_SELF_TEST',
        `bundle ${id}: golden row ${row} gives ${found} in detector ${name}, expected ${expected}`,
      );
    }
  }

  /** Makes the candidate active; the active bundle becomes the previous one. Between two requests only. */
  activate(): void {
    if (this.#candidate === null) throw new PicketError('NOT_FOUND', 'no candidate is staged');
    this.#previous = this.#active;
    this.#active = this.#candidate;
    this.#candidate = null;
    this.#image = this.#active.ptr;
  }

  /** Makes the previous bundle active again; they change places. Throws NOT_FOUND when there is none. */
  rollback(): void {
    const previous = this.#previous;
    if (previous === null) throw new PicketError('NOT_FOUND', 'there is no previous bundle to go back to');
    this.#previous = this.#active;
    this.#active = previous;
    this.#image = previous.ptr;
  }

  /**
   * Raw margin of the `verdict` detector for what stands in `vector`; all detectors that are not on demand leave their slots.
   * Throws CORE_TRAP (then call `reset()`), or NOT_FOUND when no bundle is active.
   */
  score(): number {
    if (this.#image === 0) throw new PicketError('NOT_FOUND', 'no bundle is active');
    try {
      return this.#exports.score(this.#image);
    } catch (error) {
      throw trapped(error);
    }
  }

  /** Runs one detector of the active bundle, after `score()`; a view on its slots, valid until the next call. */
  scoreOnDemand(detectorName: string): Float64Array {
    const detector = this.#active?.onDemand.get(detectorName);
    if (detector === undefined)
      throw new PicketError('NOT_FOUND', `the active bundle has no ${detectorName}`);
    try {
      this.#exports.runDetector(this.#image + detector.record);
    } catch (error) {
      throw trapped(error);
    }
    return this.#vector.subarray(detector.place, detector.place + detector.outputs);
  }

  /**
   * Replaces the instance after a trap and stages again what was active, previous and candidate, from their prepared bytes.
   * `vector` is a new view on empty memory afterwards.
   */
  reset(): void {
    const kept = [this.#previous, this.#active, this.#candidate].map((arena) => arena?.prepared ?? null);
    this.#instantiate();
    const [previous, active, candidate] = kept;
    for (const prepared of [previous, active]) {
      if (prepared === null || prepared === undefined) continue;
      this.stage(prepared);
      this.activate();
    }
    if (candidate) this.stage(candidate);
  }

  #instantiate(): void {
    const instance = new wasm.Instance(loadCoreModule(this.#variant), {});
    this.#exports = instance.exports as unknown as CoreExports;
    const { memory } = this.#exports;
    // The one growth there is, before any view exists: one small binary serves every memory plan.
    memory.grow(Math.max(0, (this.#plan.totalBytes - memory.buffer.byteLength) / at.PAGE_BYTES));
    this.#memory = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#vector = new Float64Array(memory.buffer, at.VECTOR_PTR, at.VECTOR_PLACES);
    this.#arenas = Array.from({ length: ARENA_COUNT }, (_, i) => ({
      ptr: at.ARENA_BASE + i * this.#plan.arenaBytes,
      prepared: null,
      onDemand: new Map(),
    }));
    this.#active = null;
    this.#previous = null;
    this.#candidate = null;
    this.#image = 0;
  }
}
