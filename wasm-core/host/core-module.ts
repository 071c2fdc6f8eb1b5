// Finds and compiles the scoring core: beside the bundled program (dist/core.wasm), or in wasm-core/build
// when run from source.
// Compiles once per variant and process; instances of one module share their machine code. Called by core.ts.

import { readFileSync } from 'node:fs';
import { PicketError } from '../../domain/errors.ts';
import { type WasmModule, wasm } from '../../domain/webassembly.ts';

/** `release` is what runs; `debug` has assertions and bounds checks, for tests and fuzzing. */
export type CoreVariant = 'release' | 'debug';

const compiled = new Map<CoreVariant, WasmModule>();

function candidates(variant: CoreVariant): URL[] {
  const built = new URL(`../build/${variant}.wasm`, import.meta.url);
  return variant === 'release' ? [new URL('./core.wasm', import.meta.url), built] : [built];
}

/** The compiled core. Throws PicketError INTERNAL with a hint when it was not built. */
export function loadCoreModule(variant: CoreVariant = 'release'): WasmModule {
  const known = compiled.get(variant);
  if (known !== undefined) return known;
  let cause: unknown;
  for (const url of candidates(variant)) {
    try {
      const module = new wasm.Module(readFileSync(url));
      compiled.set(variant, module);
      return module;
    } catch (error) {
      cause = error;
    }
  }
  throw new PicketError('INTERNAL', `the scoring core (${variant}) was not found or does not compile`, {
    hint: 'build it with: npm run build',
    cause,
  });
}

/** Takes a release core that another thread compiled (modules can be posted to workers); anything else is ignored. */
export function adoptCoreModule(module: unknown): void {
  if (module instanceof wasm.Module && !compiled.has('release')) compiled.set('release', module);
}
