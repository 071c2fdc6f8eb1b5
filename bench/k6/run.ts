// `npm run bench:k6 [-- --seconds N --clock-rate N --seed N smoke|toggle…]`: starts a sample API, a control plane and a
// sidecar on loopback for each script, draws its requests from the simulator and runs k6. Ends with an error when k6 does,
// which is when a threshold is missed. Needs k6: npm run tools -- k6.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Stack, startStack } from '../../cli/demo/stack.ts';
import { findTool } from '../../scripts/tools.ts';
import { writePlan } from './plan.ts';

const SCRIPTS = ['smoke', 'toggle'] as const;
const ATTACKS = ['dos', 'extreme_delete', 'stolen_token'] as const;

interface Options {
  readonly seconds: number;
  readonly clockRate: number;
  readonly seed: number;
  readonly scripts: readonly string[];
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '30' },
      'clock-rate': { type: 'string', default: '10' },
      seed: { type: 'string', default: '7' },
    },
  });
  const whole = (name: 'seconds' | 'clock-rate' | 'seed') => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name}: expected a whole number from 1`);
    return number;
  };
  const unknown = positionals.find((name) => !(SCRIPTS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`unknown script ${unknown}: ${SCRIPTS.join(', ')}`);
  const scripts = positionals.length === 0 ? SCRIPTS : positionals;
  return { seconds: whole('seconds'), clockRate: whole('clock-rate'), seed: whole('seed'), scripts };
}

/** Runs k6 on a script of this folder; resolves to its exit code (99: a threshold was missed). */
function runK6(k6: string, script: string, settings: Readonly<Record<string, string>>): Promise<number> {
  const file = fileURLToPath(new URL(`./${script}.js`, import.meta.url));
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  return new Promise((resolve, reject) => {
    const child = spawn(k6, ['run', '--quiet', '--no-usage-report', ...flags, file], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, K6_AUTO_EXTENSION_RESOLUTION: 'false' },
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

async function runScript(k6: string, script: string, options: Options): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'picket-k6-'));
  const planFile = join(folder, 'plan.json');
  let stack: Stack | undefined;
  try {
    const counts = writePlan(planFile, { ...options, attacks: script === 'toggle' ? ATTACKS : [] });
    process.stdout.write(`${script}: ${JSON.stringify(counts)} requests planned\n`);
    stack = await startStack({ folder, clockRate: options.clockRate });
    return await runK6(k6, script, {
      SIDECAR: stack.sidecar,
      UPSTREAM: stack.upstream,
      CONTROL_PLANE: stack.controlPlane,
      PLAN: planFile,
      SECONDS: String(options.seconds),
    });
  } finally {
    await stack?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(options: Options): Promise<number> {
  const k6 = findTool('k6');
  if (k6 === undefined) throw new Error('k6 is absent: npm run tools -- k6');
  let worst = 0;
  for (const script of options.scripts) worst = Math.max(worst, await runScript(k6, script, options));
  return worst;
}

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (thrown) {
  process.stderr.write(`bench:k6: ${(thrown as Error).message}\n`);
  process.exitCode = 2;
}
