// Builds what `npx picket` runs: the WebAssembly parts (asc) and the bundled program (esbuild) into dist/.
// Runs at `npm ci` through the `prepare` script; `--if-stale` skips the work when no source is newer than dist/.
// Type checks are not its business: `npm test` and `npm run typecheck` do them.

import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildWasm, WASM_PARTS } from './build-wasm.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const WASM_BUILDS = Object.values(WASM_PARTS).map((part) => join(ROOT, part, 'build'));
const SOURCES = [
  'domain',
  'wasm-core',
  'feature-engine',
  'proto',
  'proxy',
  'control-plane',
  'training',
  'simulator',
  'cli',
];

/** Bundled programs: output name -> entry. Worker threads are entries of their own. */
export const ENTRIES: Readonly<Record<string, string>> = {
  cli: 'cli/main.ts',
  'data-thread': 'proxy/data-thread.ts',
  'sqlite-worker': 'control-plane/store/sqlite-worker.ts',
};

function newestMs(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || WASM_BUILDS.some((part) => entry.parentPath.startsWith(part))) continue;
    newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

function isStale(): boolean {
  const stamp = join(DIST, 'cli.js');
  if (!existsSync(stamp)) return true;
  const builtMs = statSync(stamp).mtimeMs;
  return SOURCES.some((folder) => newestMs(join(ROOT, folder)) > builtMs);
}

/**
 * `npx picket` finds the command here at once. With a `bin` entry in package.json npx would first install the package into
 * its own cache: minutes, and broken when two start together.
 */
function linkCommand(): void {
  const link = join(ROOT, 'node_modules', '.bin', 'picket');
  mkdirSync(join(ROOT, 'node_modules', '.bin'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join('..', '..', 'bin', 'picket.mjs'), link);
}

async function main(): Promise<void> {
  if (process.argv.includes('--if-stale') && !isStale()) return;
  await buildWasm(['release', 'debug']);
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST);
  await build({
    absWorkingDir: ROOT,
    entryPoints: { ...ENTRIES },
    outdir: DIST,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    packages: 'external',
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
  });
  for (const [name, part] of Object.entries(WASM_PARTS))
    copyFileSync(join(ROOT, part, 'build', 'release.wasm'), join(DIST, `${name}.wasm`));
  linkCommand();
}

await main();
