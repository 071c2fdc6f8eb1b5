// A Redis (or Valkey) server for tests, the real one, on a free loopback port and without disk; what needs it is visibly skipped
// where no such program is installed. It can be stopped, frozen and started again on the same port.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Cleanup } from './sidecars.ts';

const PROGRAM = ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version']).status === 0);

/** Null: say so and skip. */
export const REDIS_MISSING: string | null =
  PROGRAM === undefined ? 'needs redis-server or valkey-server (Debian: apt-get install redis-server)' : null;

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Kills it; connections break. */
  stop(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>;
  /** It goes on holding its connections but answers nothing; `thaw` ends that. */
  freeze(): void;
  thaw(): void;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startRedis(cleanup: Cleanup, more: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...more];
    const begun = spawn(PROGRAM as string, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    child = begun;
    await new Promise<void>((resolve, reject) => {
      begun.once('exit', (code) => reject(new Error(`the store ended with ${code}`)));
      createInterface({ input: begun.stdout! }).on('line', (line) => {
        if (/ready to accept connections/i.test(line)) resolve();
      });
    });
  };
  const stop = async (): Promise<void> => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null) return;
    ending.kill('SIGKILL');
    await once(ending, 'exit');
  };
  await start();
  cleanup.add(stop);
  return {
    ...{ port, url: `redis://127.0.0.1:${port}`, start, stop },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  };
}
