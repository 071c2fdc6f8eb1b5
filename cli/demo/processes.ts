// Starts the demo's control plane and sidecar as processes of their own, the way a user would, and ends them again.
// Every port is on loopback; the documented one if it is free, else any free one.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PicketError } from '../../domain/errors.ts';
import { PACKAGE_ROOT } from '../package-root.ts';

const PICKET = join(PACKAGE_ROOT, 'bin', 'picket.mjs');
const READY_TIMEOUT_MS = 20_000;
const POLL_MS = 50;
const OUTPUT_KEPT_CHARS = 4_000;

export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** The last of what it wrote, for an error message. */
  output(): string;
}

/** `preferred` if nobody listens there on 127.0.0.1, else a port that the system picks. */
export async function freePort(preferred: number): Promise<number> {
  for (const port of [preferred, 0]) {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    const listening = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]);
    if (!listening) continue;
    const address = server.address();
    server.close();
    await once(server, 'close');
    if (address !== null && typeof address === 'object') return address.port;
  }
  throw new PicketError('LISTEN_REFUSED', 'no port is free on 127.0.0.1');
}

/** Runs `picket ARGS` under this Node. */
export function startPicket(name: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [PICKET, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let kept = '';
  const keep = (chunk: Buffer): void => {
    kept = (kept + chunk.toString('utf8')).slice(-OUTPUT_KEPT_CHARS);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return { name, process: child, output: () => kept };
}

/** Asks again until `isReady`; fails at once if one of the processes ends before, with its last words. */
export async function untilReady(
  children: readonly Child[],
  what: string,
  isReady: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let ended: Child | undefined;
  while (ended === undefined && Date.now() < deadline) {
    if (await isReady()) return;
    ended = children.find(({ process: one }) => one.exitCode !== null || one.signalCode !== null);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const words = (ended === undefined ? children : [ended]).map(
    (child) => `${child.name}:\n${child.output()}`,
  );
  throw new PicketError('UNREACHABLE', what, { hint: `their last words:\n${words.join('\n')}` });
}

/** SIGTERM, then SIGKILL for what is left after `graceMs`. */
export async function stopAll(children: readonly Child[], graceMs = 5_000): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.process.exitCode !== null || child.process.signalCode !== null) return;
      const ended = once(child.process, 'exit');
      child.process.kill('SIGTERM');
      const timer = setTimeout(() => child.process.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    }),
  );
}
