// A thread that answers calls and dies when it is told to: what worker-link.test.ts needs.
// Speaks the protocol of worker-link.ts.

import { parentPort } from 'node:worker_threads';

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

parentPort?.on('message', ({ id, method, args }: Call) => {
  if (method === 'die') process.exit(3);
  if (method === 'throw') throw new Error('a bug in the thread');
  if (method === 'refuse') parentPort?.postMessage({ id, code: 'NOT_FOUND', message: 'no', hint: 'look' });
  else if (method !== 'ignore') parentPort?.postMessage({ id, value: args[0] });
});
parentPort?.postMessage({ id: 0, value: 'ready' });
