// Nonces, acks and waiters: stale answers change nothing, every waiter gets exactly one answer.

import { describe, expect, test } from 'vitest';
import { ManualClock } from '../domain/clock.ts';
import { PushLine } from './push-line.ts';

function line(): { line: PushLine; clock: ManualClock } {
  const clock = new ManualClock(1_000);
  return { line: new PushLine('p', clock), clock };
}

describe('push line', () => {
  test('an ack of the newest push counts, with its time', async () => {
    const { line: pushes, clock } = line();
    const nonce = pushes.push('v1');
    const waiting = pushes.wait('v1');
    clock.moveTo(1_025);
    expect(pushes.answer(nonce ?? '', null)).toBe(true);
    expect(await waiting).toEqual({ acked: true, appliedMs: 25, error: '' });
    expect(pushes.acked).toBe('v1');
    expect((await pushes.wait('v1')).acked).toBe(true);
  });

  test('what the sidecar holds or was just sent is not pushed again', async () => {
    const { line: pushes } = line();
    pushes.hold('v1');
    expect(pushes.push('v1')).toBeNull();
    expect((await pushes.wait('v1')).acked).toBe(true);
    expect(pushes.push('v2')).not.toBeNull();
    expect(pushes.push('v2')).toBeNull();
    expect(pushes.push('v1')).not.toBeNull();
  });

  test('a stale nonce changes no state but answers its own waiter', async () => {
    const { line: pushes } = line();
    const first = pushes.push('v1') ?? '';
    const waitFirst = pushes.wait('v1');
    const second = pushes.push('v2') ?? '';
    expect(pushes.answer(first, null)).toBe(false);
    expect(pushes.acked).toBe('');
    expect((await waitFirst).acked).toBe(true);
    expect(pushes.answer(first, null)).toBe(false);
    expect(pushes.answer('unknown', null)).toBe(false);
    expect(pushes.answer(second, null)).toBe(true);
    expect(pushes.acked).toBe('v2');
    expect((await pushes.wait('v1')).error).toContain('superseded');
  });

  test('an answer to the newest ends the wait for older ones', async () => {
    const { line: pushes } = line();
    pushes.push('v1');
    const waitFirst = pushes.wait('v1');
    const second = pushes.push('v2') ?? '';
    pushes.answer(second, null);
    expect(await waitFirst).toMatchObject({ acked: false, error: 'superseded by v2' });
  });

  test('a nack keeps the old version and its reason until the next push', async () => {
    const { line: pushes } = line();
    pushes.hold('v1');
    const nonce = pushes.push('v2') ?? '';
    expect(pushes.answer(nonce, 'POLICY_INVALID: no')).toBe(true);
    expect(pushes.acked).toBe('v1');
    expect(pushes.error).toBe('POLICY_INVALID: no');
    expect(await pushes.wait('v2')).toMatchObject({ acked: false, error: 'POLICY_INVALID: no' });
    pushes.push('v3');
    expect(pushes.error).toBe('');
  });

  test('the end of the connection, and too many pushes, end every wait', async () => {
    const { line: pushes } = line();
    pushes.push('v0');
    const first = pushes.wait('v0');
    for (let i = 1; i <= 40; i++) pushes.push(`v${i}`);
    expect((await first).error).toContain('given up');
    const last = pushes.wait('v40');
    pushes.end('disconnected');
    expect(await last).toEqual({ acked: false, appliedMs: 0, error: 'disconnected' });
  });
});
