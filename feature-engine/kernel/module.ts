// Finds and compiles the feature engine's kernels: beside the bundled program (dist/engine.wasm), or in kernel/build when run
// from source. Compiles once per variant and process. Called by memory.ts.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PicketError } from '../../domain/errors.ts';
import { type WasmModule, wasm } from '../../domain/webassembly.ts';

/** `release` is what runs; `debug` has assertions and bounds checks, for tests and fuzzing. */
export type KernelVariant = 'release' | 'debug';

const compiled = new Map<KernelVariant, WasmModule>();

function candidates(variant: KernelVariant): URL[] {
  const built = new URL(`./build/${variant}.wasm`, import.meta.url);
  return variant === 'release' ? [new URL('./engine.wasm', import.meta.url), built] : [built];
}

/** The compiled kernels. Throws PicketError INTERNAL with a hint when they were not built. */
export function loadKernelModule(variant: KernelVariant = 'release'): WasmModule {
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
  throw new PicketError(
    'INTERNAL',
    `the feature engine's kernels (${variant}) were not found or do not compile`,
    {
      hint: 'build them with: npm run build',
      cause,
    },
  );
}

/** First 16 hex digits of the SHA-256 of the kernels' code: what they keep in memory means the same where this is the same. */
export function kernelDigest(): string {
  for (const url of candidates('release')) {
    try {
      return createHash('sha256').update(readFileSync(url)).digest('hex').slice(0, 16);
    } catch {
      // It lies at the next place.
    }
  }
  throw new PicketError('INTERNAL', "the feature engine's kernels were not found", {
    hint: 'build them with: npm run build',
  });
}

/** Takes release kernels that another thread compiled (modules can be posted to workers); anything else is ignored. */
export function adoptKernelModule(module: unknown): void {
  if (module instanceof wasm.Module && !compiled.has('release')) compiled.set('release', module);
}
