// The k6 scripts without running them: types against @types/k6, and, where k6 is there, its own reading of both with a plan
// that the simulator drew. Whether the promises hold is what `npm run bench:k6` measures.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePlan } from '../../bench/k6/plan.ts';
import { findTool } from '../../scripts/tools.ts';
import { parseRequestId } from '../../simulator/request.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ATTACKS = ['dos', 'extreme_delete', 'stolen_token'] as const;

describe('k6 scripts', () => {
  let folder = '';
  let plan = '';
  let counts: Record<string, number> = {};
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'picket-k6-test-'));
    plan = join(folder, 'plan.json');
    counts = writePlan(plan, { seed: 3, seconds: 10, clockRate: 5, attacks: ATTACKS });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('pass the type check', () => {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const checked = spawnSync(process.execPath, [tsc, '-p', 'bench/k6'], { cwd: ROOT, encoding: 'utf8' });
    expect(checked.stdout).toBe('');
    expect(checked.status).toBe(0);
  });

  it('get a plan that holds normal users and every attack, the same for the same seed', () => {
    for (const label of ['normal', ...ATTACKS]) expect(counts[label]).toBeGreaterThan(0);
    const again = join(folder, 'again.json');
    writePlan(again, { seed: 3, seconds: 10, clockRate: 5, attacks: ATTACKS });
    const text = readFileSync(plan, 'utf8');
    expect(readFileSync(again, 'utf8')).toBe(text);
    const { requests } = JSON.parse(text) as {
      requests: { label: string; headers: Record<string, string> }[];
    };
    for (const { label, headers } of requests) {
      expect(parseRequestId(headers['x-request-id']!)?.label).toBe(label);
      expect(isIP(headers['x-forwarded-for']!)).toBeGreaterThan(0);
    }
  });

  const k6 = findTool('k6');
  if (k6 === undefined) {
    it.skip('k6 is absent: npm run tools -- k6');
    return;
  }
  const settings = () => ({
    SIDECAR: 'http://127.0.0.1:1',
    UPSTREAM: 'http://127.0.0.1:2',
    CONTROL_PLANE: '127.0.0.1:3',
    PLAN: plan,
    SECONDS: '10',
  });
  const inspect = (script: string, values: Readonly<Record<string, string>>) => {
    const flags = Object.entries(values).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, K6_AUTO_EXTENSION_RESOLUTION: 'false' };
    return spawnSync(k6, ['inspect', ...flags, join(ROOT, 'bench/k6', script)], { encoding: 'utf8', env });
  };

  it.each(['smoke.js', 'toggle.js'])('%s is an open model with thresholds', (script) => {
    const read = inspect(script, settings());
    expect(read.stderr).toBe('');
    const options = JSON.parse(read.stdout) as {
      scenarios: Record<string, { executor: string }>;
      thresholds: Record<string, string[]>;
    };
    const loads = Object.entries(options.scenarios).filter(([name]) => name !== 'operator');
    expect(loads.map(([, load]) => load.executor)).toEqual([
      'constant-arrival-rate',
      'constant-arrival-rate',
    ]);
    expect(Object.keys(options.thresholds).length).toBeGreaterThan(2);
  });

  it('refuse a setting that is missing or wrong', () => {
    const { SIDECAR: _left, ...missing } = settings();
    expect(inspect('smoke.js', missing).stderr).toContain('SIDECAR=undefined');
    expect(inspect('smoke.js', { ...settings(), SECONDS: 'soon' }).stderr).toContain('SECONDS=soon');
  });
});
