// The story of `npm start -- --once`: every process for real, monitor, then block. Attacks bounce, normal users notice nothing,
// every event is stored, and the last line is one line of JSON with the promised members.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

interface Phase {
  requests: number;
  attacks: number;
  attacks_flagged: number;
  attacks_refused: number;
  normal: number;
  normal_flagged: number;
  normal_refused: number;
}

interface Summary {
  bundle_id: string;
  policy_version: string;
  monitor: Phase;
  block: Phase;
  by_attack: Record<string, { sent: number; refused: number }>;
  mode_switch_ms: number;
  added_latency_ms: { p50: number; p99: number };
  events: { sent: number; stored: number; dropped: number };
}

async function runOnce(): Promise<{ code: number | null; text: string }> {
  const program = new URL('../../bin/picket.mjs', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, 'demo', '--once'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, text: code === 0 ? text : text + errors };
}

it('watches first, then refuses attacks and no one else', { timeout: 120_000 }, async () => {
  const { code, text } = await runOnce();
  expect(code, text).toBe(0);
  const summary = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Summary;
  expect(summary.bundle_id).toMatch(/^[0-9a-f]{64}$/);
  expect(summary.policy_version).not.toBe('');

  const { monitor, block } = summary;
  expect(monitor.attacks_refused + monitor.normal_refused).toBe(0);
  expect(monitor.attacks_flagged / monitor.attacks).toBeGreaterThanOrEqual(0.95);
  expect(block.attacks).toBeGreaterThan(300);
  expect(block.attacks_refused / block.attacks).toBeGreaterThanOrEqual(0.95);
  expect(block.normal).toBeGreaterThan(1000);
  expect(block.normal_refused / block.normal).toBeLessThanOrEqual(0.005);
  expect(Object.keys(summary.by_attack).sort()).toEqual(['dos', 'extreme_delete', 'stolen_token']);

  expect(summary.mode_switch_ms).toBeGreaterThan(0);
  expect(Number.isFinite(summary.added_latency_ms.p50)).toBe(true);
  expect(summary.events.stored).toBe(summary.events.sent);
  expect(summary.events.dropped).toBe(0);
  expect(summary.events.sent).toBeGreaterThanOrEqual(monitor.requests + block.requests);
});
