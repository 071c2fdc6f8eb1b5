// Compiles the scoring core and the feature engine's kernels with asc, each into its build/. Runnable
// (`node scripts/build-wasm.ts [release] [debug]`). Does not bundle or copy anything: scripts/build.ts puts the release binaries
// beside the bundled program as dist/core.wasm and dist/engine.wasm.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type WasmTarget = 'release' | 'debug';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Folders with an asconfig.json, by the name that their release binary has in dist/. */
export const WASM_PARTS: Readonly<Record<string, string>> = {
  core: 'wasm-core',
  engine: 'feature-engine/kernel',
};

/** Compiles the targets of every part, one after the other; throws with the compiler's own words when one fails. */
export function buildWasm(targets: readonly WasmTarget[] = ['release', 'debug']): void {
  const compiler = join(ROOT, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
  for (const folder of Object.values(WASM_PARTS)) {
    mkdirSync(join(ROOT, folder, 'build'), { recursive: true });
    for (const target of targets) {
      const args = [compiler, '--config', `${folder}/asconfig.json`, '--target', target];
      const run = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
      const said = `${run.stdout ?? ''}${run.stderr ?? ''}`.trim();
      if (run.status !== 0) throw new Error(`asc failed for ${folder}, target ${target}:\n${said}`);
      if (said !== '') process.stderr.write(`${said}\n`);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const named = process.argv.slice(2).filter((name) => name === 'release' || name === 'debug');
  buildWasm(named.length > 0 ? named : undefined);
}
