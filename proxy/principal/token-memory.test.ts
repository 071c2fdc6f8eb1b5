// Shared memory between the threads: the table against a plain map, floods of refused tokens, whole entries only under a writer
// in a thread of its own; the queue in order, bounded, wiped, and waking its consumer.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COUNTER, Counters } from '../counters.ts';
import { TOKEN_MAX_BYTES } from './jwt.ts';
import { FOUND, PrincipalTable, principalTableBytes } from './principal-table.ts';
import { TokenDesk } from './token-desk.ts';
import { QUEUE_SLOTS, TOKEN_QUEUE_BYTES, TokenQueue } from './token-queue.ts';

const keyOf = (n: number): Uint32Array => Uint32Array.of(n, n * 7919, n ^ 0x5bd1e995, ~n);
const newTable = (tokens: number): PrincipalTable =>
  new PrincipalTable(new SharedArrayBuffer(principalTableBytes(tokens)));
const newOut = () => ({ principalKey: new Uint32Array(4), formerPrincipalKey: new Uint32Array(4) });

describe('table', () => {
  it('answers what was put last, and nothing after its end: as a map does while there is room', () => {
    const step = fc.record({
      key: fc.nat({ max: 20 }),
      principal: fc.nat({ max: 5 }),
      ends: fc.integer({ min: 1, max: 50 }),
      refused: fc.boolean(),
      at: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = newTable(4096);
        const model = new Map<number, { principal: number | null; ends: number }>();
        for (const { key, principal, ends, refused, at } of steps) {
          if (refused && !(model.get(key)?.principal ?? null)) {
            table.putRefused(keyOf(key), ends);
            model.set(key, { principal: null, ends });
          } else if (!refused) {
            table.putVerified(keyOf(key), keyOf(principal + 100), keyOf(principal + 200), ends);
            model.set(key, { principal: principal + 100, ends });
          }
          const out = newOut();
          const known = model.get(key);
          const found = table.find(keyOf(key), at, out);
          if (known === undefined || known.ends <= at) expect(found).toBe(FOUND.unknown);
          else if (known.principal === null) expect(found).toBe(FOUND.refused);
          else {
            expect(found).toBe(FOUND.verified);
            expect([...out.principalKey]).toEqual([...keyOf(known.principal)]);
            expect([...out.formerPrincipalKey]).toEqual([...keyOf(known.principal + 100)]);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('a flood of refused tokens displaces no verified one; what ends first makes room', () => {
    const table = newTable(64);
    for (let n = 0; n < 40; n++) table.putVerified(keyOf(n), keyOf(n + 1000), null, 100);
    const held = (): number =>
      Array.from({ length: 40 }, (_, n) => table.find(keyOf(n), 50, newOut())).filter(
        (found) => found === FOUND.verified,
      ).length;
    const before = held();
    expect(before).toBeGreaterThan(30);
    for (let n = 10_000; n < 60_000; n++) table.putRefused(keyOf(n), 100);
    expect(held()).toBe(before);
    for (let n = 100_000; n < 101_000; n++) table.putVerified(keyOf(n), keyOf(n), null, 90);
    expect(table.find(keyOf(100_999), 50, newOut())).toBe(FOUND.verified);
    table.clearRefused();
    expect(table.find(keyOf(59_999), 50, newOut())).toBe(FOUND.unknown);
    table.clear();
    expect(held()).toBe(0);
  });

  it('a reader sees whole entries only, while another thread writes them', async () => {
    const table = newTable(16);
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const code = `
      const { workerData } = require('node:worker_threads');
      import(workerData.module).then(({ PrincipalTable }) => {
        const table = new PrincipalTable(workerData.table);
        const stop = new Int32Array(workerData.stop);
        const key = Uint32Array.of(7, 7, 7, 7);
        for (let n = 1; Atomics.load(stop, 0) === 0; n++) {
          if (n % 64 === 0) table.clear();
          table.putVerified(key, Uint32Array.of(n, n, n, n), Uint32Array.of(n, n, n, n), 0xffffffff);
        }
      });`;
    const module = new URL('./principal-table.ts', import.meta.url).href;
    const worker = new Worker(code, {
      eval: true,
      execArgv: [],
      workerData: { module, table: table.buffer, stop: stop.buffer },
    });
    const key = Uint32Array.of(7, 7, 7, 7);
    const out = newOut();
    let changes = 0;
    let last = 0;
    for (let n = 0; changes < 20_000 || n < 1e6; n++) {
      if (n % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (table.find(key, 1, out) !== FOUND.verified) continue;
      const [first] = out.principalKey;
      const all = [...out.principalKey, ...out.formerPrincipalKey];
      if (all.some((word) => word !== first)) throw new Error(`torn: ${all.join()}`);
      if (first !== last) changes++;
      last = first!;
    }
    Atomics.store(stop, 0, 1);
    await once(worker, 'exit');
    expect(changes).toBeGreaterThanOrEqual(20_000);
  });

  it('refuses memory that is no table', () => {
    expect(() => new PrincipalTable(new SharedArrayBuffer(1000))).toThrow(RangeError);
  });
});

describe('queue and desk', () => {
  const push = (queue: TokenQueue, text: string, n: number): boolean => {
    const bytes = Buffer.from(text);
    return queue.push(bytes, { start: 0, end: bytes.length }, keyOf(n), n);
  };

  it('gives tokens in order, drops when full, and keeps no byte of what was taken', () => {
    const queue = new TokenQueue();
    // Counts that run over 2^31 on the way.
    new Int32Array(queue.buffer).fill(0x7fffffff - 10, 0, 2);
    for (let n = 0; n < QUEUE_SLOTS; n++) expect(push(queue, `secret-${n}`, n)).toBe(true);
    expect(push(queue, 'one too many', 99)).toBe(false);
    for (let n = 0; n < QUEUE_SLOTS; n++) {
      const token = queue.take();
      expect([token?.bytes.toString(), token?.source, token?.key.join()]).toEqual([
        `secret-${n}`,
        n,
        keyOf(n).join(),
      ]);
    }
    expect(queue.take()).toBeNull();
    expect(Buffer.from(queue.buffer).includes('secret')).toBe(false);
    expect(queue.buffer.byteLength).toBe(TOKEN_QUEUE_BYTES);
  });

  it('wakes its consumer', async () => {
    const queue = new TokenQueue();
    const waiting = queue.waiting();
    push(queue, 'token', 1);
    await waiting;
    await queue.waiting();
    expect(queue.take()?.bytes.toString()).toBe('token');
    const again = queue.waiting();
    queue.wake();
    await again;
  });

  it('hands a token over once, counts what it cannot hand over', () => {
    const counters = new Counters();
    const queue = new TokenQueue();
    const desk = new TokenDesk({ table: newTable(16).buffer, queue: queue.buffer }, counters);
    const head = new Uint8Array(2 * TOKEN_MAX_BYTES).fill(0x61);
    const submit = (n: number, nowSec = 100, bytes = 100): void =>
      desk.submit(head, { start: 0, end: bytes }, keyOf(n), { source: 0, nowSec });
    submit(1);
    submit(1);
    submit(1, 101);
    expect(counters.get(COUNTER.tokensSubmitted)).toBe(1);
    submit(1, 102);
    expect(counters.get(COUNTER.tokensSubmitted)).toBe(2);
    submit(2, 100, TOKEN_MAX_BYTES + 1);
    expect(counters.get(COUNTER.tokensTooLong)).toBe(1);
    submit(3, 100, TOKEN_MAX_BYTES);
    for (let n = 10; n < 10 + QUEUE_SLOTS; n++) submit(n);
    expect(counters.get(COUNTER.tokensDropped)).toBe(3);
    expect(counters.get(COUNTER.tokensSubmitted)).toBe(QUEUE_SLOTS);
  });
});
