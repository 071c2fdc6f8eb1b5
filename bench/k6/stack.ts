// Starts what a k6 run drives, on loopback: the sample API in this process, control plane and sidecar as a user would, by
// the built command. Ends them again. Called by run.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startUpstream } from '../../simulator/upstream.ts';

const PICKET = fileURLToPath(new URL('../../bin/picket.mjs', import.meta.url));
const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
const OUTPUT_KEPT_CHARS = 4_000;

export interface Stack {
  /** http://127.0.0.1:PORT of each. */
  readonly upstream: string;
  readonly sidecar: string;
  readonly admin: string;
  /** HOST:PORT of the control plane's gRPC listener. */
  readonly controlPlane: string;
  readonly close: () => Promise<void>;
}

interface Child {
  readonly process: ChildProcess;
  readonly said: () => string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free on 127.0.0.1');
  return address.port;
}

function start(args: readonly string[]): Child {
  const child = spawn(process.execPath, [PICKET, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-OUTPUT_KEPT_CHARS);
    });
  }
  return { process: child, said: () => said };
}

async function stop({ process: child }: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  if (!(await Promise.race([ended.then(() => true), delay(STOP_TIMEOUT_MS, false, { ref: false })]))) {
    child.kill('SIGKILL');
    await ended;
  }
}

async function fetchJson(url: string): Promise<unknown> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined; // not yet
  }
}

/** True once the sidecar says that it runs the control plane's policy. */
async function isConnected(admin: string): Promise<boolean> {
  const status = (await fetchJson(`${admin}/status`)) as { control_plane?: { state?: string } } | undefined;
  return status?.control_plane?.state === 'connected';
}

/** Starts everything and waits until the sidecar is connected; throws with the last words of a process that failed. */
export async function startStack(folder: string, clockRate: number): Promise<Stack> {
  const api = await startUpstream({ latencyScale: 1 / clockRate });
  const [grpc, http, listen, admin] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const upstream = `http://127.0.0.1:${api.port}`;
  const children = [
    start(
      ['control-plane', '--listen', `127.0.0.1:${grpc}`, '--http', `127.0.0.1:${http}`].concat([
        '--data-dir',
        join(folder, 'control-plane'),
      ]),
    ),
    start([
      ...[
        'sidecar',
        '--listen',
        `127.0.0.1:${listen}`,
        '--upstream',
        upstream,
        '--admin',
        `127.0.0.1:${admin}`,
      ],
      ...[
        '--control-plane',
        `127.0.0.1:${grpc}`,
        '--workload',
        'sample',
        '--state-dir',
        join(folder, 'sidecar'),
      ],
      ...['--client-ip-source', 'xff', '--trusted-proxies', '127.0.0.0/8', '--clock-rate', String(clockRate)],
    ]),
  ];
  const close = async () => {
    for (const child of [...children].reverse()) await stop(child);
    await api.close();
  };
  const adminUrl = `http://127.0.0.1:${admin}`;
  for (let waitedMs = 0; !(await isConnected(adminUrl)); waitedMs += POLL_MS) {
    const ended = children.find(({ process: one }) => one.exitCode !== null || one.signalCode !== null);
    if (ended !== undefined || waitedMs > READY_TIMEOUT_MS) {
      await close();
      const words = (ended === undefined ? children : [ended]).map((child) => child.said()).join('\n');
      throw new Error(`the sidecar does not connect to the control plane:\n${words}`);
    }
    await delay(POLL_MS);
  }
  const sidecar = `http://127.0.0.1:${listen}`;
  return { upstream, sidecar, admin: adminUrl, controlPlane: `127.0.0.1:${grpc}`, close };
}
