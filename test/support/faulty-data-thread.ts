// The built-in data thread with two handles for tests: it stalls or crashes when a broadcast says so.

import { BroadcastChannel } from 'node:worker_threads';
// Starts by itself, since it finds a data thread's start data.
import '../../proxy/data-thread.ts';

const faults = new BroadcastChannel('picket-test-faults');
faults.onmessage = (event: unknown): void => {
  const { data } = event as { data: { stallMs?: number; crash?: boolean } };
  if (data.crash === true) {
    setImmediate(() => {
      throw new Error('a crash that the test asked for');
    });
  }
  const untilMs = Date.now() + (data.stallMs ?? 0);
  while (Date.now() < untilMs);
};
faults.unref();
