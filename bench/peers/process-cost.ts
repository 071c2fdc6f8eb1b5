// What a process and its children cost, read from the Linux kernel's accounting under /proc: CPU seconds and memory.
// Also starts them pinned to a core and ends them as a group. Called by bench/proxy.ts.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const STOP_TIMEOUT_MS = 5_000;
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
let ticksPerSec = 0;

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}

/** The process and all that it started, as process ids. */
export function processTree(pid: number): number[] {
  let tasks: string[] = [];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const children = tasks.flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

/** User + system CPU seconds of a process tree (proc(5), fields 14 and 15 of stat). */
export function cpuSec(pid: number): number {
  ticksPerSec ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  let ticks = 0;
  for (const id of processTree(pid)) {
    const fields = read(`/proc/${id}/stat`).split(') ').at(-1)!.split(' ');
    if (fields.length > 12) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSec;
}

/** Resident megabytes (2^20) of the largest process of the tree: a launcher such as npx is not the proxy. */
export function rssMb(pid: number): number {
  const sizes = processTree(pid).map((id) =>
    Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${id}/status`))?.[1] ?? 0),
  );
  return Math.max(0, ...sizes) / 1024;
}

export interface PinnedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
}

/** Starts a command on one core, in a process group of its own, its output to `log`. */
export function startPinned(
  command: readonly string[],
  core: number,
  log: string,
  cwd: string,
): PinnedProcess {
  const out = openSync(log, 'a');
  const child = spawn('taskset', ['-c', String(core), ...command], {
    cwd,
    detached: true,
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  if (child.pid === undefined) throw new Error(`${command[0]} did not start: is taskset (util-linux) there?`);
  child.on('error', () => {}); // shows as a port that never opens
  return { child, pid: child.pid };
}

/** Ends the process group that startPinned made: asks, then kills. */
export async function stopPinned({ child, pid }: PinnedProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(-pid, signal);
    } catch {
      return; // gone
    }
    if (await Promise.race([ended.then(() => true), delay(STOP_TIMEOUT_MS, false, { ref: false })])) return;
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** Waits until something listens on the port, the process ends, or a minute is over; says which by true or false. */
export async function untilListening(port: number, { child }: PinnedProcess): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += POLL_MS) {
    if (await canConnect(port)) return true;
    if (child.exitCode !== null || child.signalCode !== null) return false;
    await delay(POLL_MS);
  }
  return false;
}
