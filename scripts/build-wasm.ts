// Compiles the scoring core with asc into wasm-core/build/. Runnable (`node scripts/build-wasm.ts [release] [debug]`).
// Does not bundle or copy anything: scripts/build.ts puts the release binary beside the bundled program as dist/core.wasm.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type WasmTarget = 'release' | 'debug';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Where a target's binary is written. */
export function wasmPath(target: WasmTarget): string {
  return fileURLToPath(new URL(`../wasm-core/build/${target}.wasm`, import.meta.url));
}

/** Compiles the targets, one after the other; throws with the compiler's own words when one fails. */
export function buildWasm(targets: readonly WasmTarget[] = ['release', 'debug']): void {
  mkdirSync(fileURLToPath(new URL('../wasm-core/build/', import.meta.url)), { recursive: true });
  const compiler = fileURLToPath(new URL('../node_modules/assemblyscript/bin/asc.js', import.meta.url));
  for (const target of targets) {
    const args = [compiler, '--config', 'wasm-core/asconfig.json', '--target', target];
    const run = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    const said = `${run.stdout ?? ''}${run.stderr ?? ''}`.trim();
    if (run.status !== 0) throw new Error(`asc failed for target ${target}:\n${said}`);
    if (said !== '') process.stderr.write(`${said}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const named = process.argv.slice(2).filter((name) => name === 'release' || name === 'debug');
  buildWasm(named.length > 0 ? named : undefined);
}
