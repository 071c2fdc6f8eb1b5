// Whole sidecars for tests, in process with a real data thread, or as a child process; and an origin that answers when told.
// Everything on free loopback ports with a state folder of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseOptions } from '../../domain/options.ts';
import { checkSidecarConfig, type SidecarConfig } from '../../proxy/config.ts';
import { type Sidecar, type SidecarOptions, startSidecar } from '../../proxy/main.ts';
import { SIDECAR_OPTIONS } from '../../proxy/sidecar-options.ts';

/** Picket's command run from its sources: what a child process starts. */
export const PICKET = fileURLToPath(new URL('./picket.mjs', import.meta.url));

export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

export function sidecarConfig(args: readonly string[]): SidecarConfig {
  const given = ['--listen=127.0.0.1:0', '--admin=127.0.0.1:0'].filter(
    (arg) => !args.some((other) => other.startsWith(arg.split('=')[0]!)),
  );
  const { values, problems } = parseOptions(SIDECAR_OPTIONS, { args: [...given, ...args], env: {} });
  const all = [...problems, ...checkSidecarConfig(values)];
  if (all.length > 0) throw new Error(JSON.stringify(all));
  return values;
}

/** Tears down in reverse order what a test opened. */
export class Cleanup {
  readonly #tasks: (() => unknown)[] = [];

  add(task: () => unknown): void {
    this.#tasks.push(task);
  }

  folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'picket-sidecar-'));
    this.add(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  async run(): Promise<void> {
    for (const task of this.#tasks.splice(0).reverse()) await task();
  }
}

export interface Origin {
  readonly url: string;
  readonly requests: string[];
  /** Answers that wait: call one to let it go. Filled while `hold` is true. */
  readonly held: (() => void)[];
  hold: boolean;
}

export async function startOrigin(cleanup: Cleanup): Promise<Origin> {
  const server = createServer((req: IncomingMessage, res: ServerResponse) => {
    origin.requests.push(`${req.method} ${req.url}`);
    req.resume();
    const answer = (): void => void res.end('hello from the origin');
    if (origin.hold) origin.held.push(answer);
    else answer();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const origin: Origin & { url: string } = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    held: [],
    hold: false,
  };
  return origin;
}

export interface RunningSidecar {
  readonly sidecar: Sidecar;
  /** `http://host:port` of the traffic listener and of the admin listener. */
  readonly url: string;
  readonly admin: string;
  readonly log: LogLine[];
}

export async function runSidecar(
  cleanup: Cleanup,
  args: readonly string[],
  options: Omit<SidecarOptions, 'config' | 'logStream'> = {},
): Promise<RunningSidecar> {
  const log: LogLine[] = [];
  const logStream = { write: (line: string): void => void log.push(JSON.parse(line) as LogLine) };
  const sidecar = await startSidecar({ config: sidecarConfig(args), logStream, ...options });
  cleanup.add(() => sidecar.close());
  const { listeners, admin } = sidecar.addresses;
  return {
    sidecar,
    log,
    url: `http://127.0.0.1:${listeners[0]!.port}`,
    admin: `http://127.0.0.1:${admin.port}`,
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One GET on a connection of its own. */
export function ask(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, agent: false }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        body += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }));
      res.on('error', reject);
    });
    request.on('error', reject);
  });
}

/** Asks again until the condition holds; the test's own timeout ends it otherwise. */
export async function until<T>(look: () => T | Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await look();
    if (good(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface PicketProcess {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly errors: () => string;
  /** Resolves with the first line, parsed, whose message is `msg`. */
  readonly said: (msg: string) => Promise<LogLine>;
  /** Exit code, or the signal's name. */
  readonly exit: Promise<number | string>;
}

export function spawnPicket(
  cleanup: Cleanup,
  args: readonly string[],
  env: Record<string, string> = {},
): PicketProcess {
  const child = spawn(process.execPath, [PICKET, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const exit = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  cleanup.add(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const find = (msg: string): LogLine | undefined =>
    lines.map((line) => parsed(line)).find((line) => line?.msg === msg) ?? undefined;
  const said = async (msg: string): Promise<LogLine> => {
    const ended = exit.then((code) => {
      throw new Error(`it ended with ${code} before it said "${msg}": ${errors}${lines.join('\n')}`);
    });
    ended.catch(() => {});
    return (await Promise.race([
      until(
        () => find(msg),
        (line) => line !== undefined,
      ),
      ended,
    ])) as LogLine;
  };
  return { child, lines, errors: () => errors, said, exit };
}

function parsed(line: string): LogLine | null {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return null;
  }
}
