// `npm test`: everything that must hold, in one run: build, types, lint, generated files fresh, then every vitest test.
// The last line is `N passed, N failed[, N skipped]`; a failing build, type check, lint or stale file counts as failed.
// Arguments go to vitest (`npm test -- proxy/head`). Optional tools that are absent are listed with what that skips.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addCounts, type Counts, countReport, summaryLine } from './test-summary.ts';
import { absentTools } from './tools.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Check {
  readonly name: string;
  /** Run with this very Node binary. */
  readonly script: string;
  readonly args: readonly string[];
}

const CHECKS: readonly Check[] = [
  { name: 'build', script: 'scripts/build.ts', args: ['--if-stale'] },
  { name: 'types', script: 'node_modules/typescript/bin/tsc', args: ['-b'] },
  { name: 'lint', script: 'node_modules/@biomejs/biome/bin/biome', args: ['check', '.'] },
  { name: 'generated code fresh', script: 'scripts/gen.ts', args: ['--check'] },
  { name: 'generated docs fresh', script: 'scripts/gen-docs.ts', args: ['--check'] },
];

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Runs a script with this Node binary, its output straight to ours; resolves to the exit code (1 for a signal). */
function run(script: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', (cause) => {
      say(`${script}: ${cause.message}`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

async function runChecks(): Promise<Counts> {
  let passed = 0;
  let failed = 0;
  for (const check of CHECKS) {
    const startedMs = performance.now();
    const code = existsSync(join(ROOT, check.script)) ? await run(check.script, check.args) : 1;
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    say(`${code === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)`);
    if (code === 0) passed++;
    else failed++;
  }
  return { passed, failed, skipped: 0 };
}

async function runVitest(args: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'picket-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    const code = await run('node_modules/vitest/vitest.mjs', ['run', ...reporters, ...args]);
    return countReport(existsSync(report) ? readFileSync(report, 'utf8') : '', code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function listAbsentTools(): void {
  const absent = absentTools();
  if (absent.length === 0) return;
  say('Optional tools that are absent (npm run tools), and what that skips:');
  for (const tool of absent) say(`  ${tool.name} ${tool.version}: ${tool.without}`);
}

const total = addCounts(await runChecks(), await runVitest(process.argv.slice(2)));
listAbsentTools();
say(summaryLine(total));
process.exitCode = total.failed === 0 ? 0 : 1;
