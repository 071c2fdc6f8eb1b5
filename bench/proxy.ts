// `npm run bench:proxy [-- --json --rounds N --seconds N --conns N --identities N --picket-args "…" peer…]`: CPU
// microseconds per proxied request, side by side in one run. Each proxy is pinned to core 0, origin and load generator to
// core 1; CPU time is the kernel's own, of the proxy's process tree, divided by the requests that wrk counted. Absolute
// figures move with the machine: compare within one run. The promises are printed beside the ratios, never asserted.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { findTool } from '../scripts/tools.ts';
import { originCommand, PEERS, type Peer } from './peers/peers.ts';
import * as cost from './peers/process-cost.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ORIGIN_PORT = 18_080;
const FIRST_PORT = 19_001;
const WARM_UP_SEC = 3;
const PROXY_CORE = 0;
const LOAD_CORE = availableParallelism() > 1 ? 1 : 0;
/** Ratios that Picket promises to stay at or below. */
const PROMISES: Readonly<Record<string, number>> = { 'http-proxy': 0.55, nginx: 3.0, envoy: 1.0 };

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly identities: number;
  readonly json: boolean;
  readonly picketArgs: readonly string[];
  readonly peers: readonly Peer[];
}

interface Running {
  readonly peer: Peer;
  readonly port: number;
  readonly process: cost.PinnedProcess;
  readonly cpuUs: number[];
  readonly perSec: number[];
  readonly rssMb: number[];
  bad: number;
}

/** One line of the result: medians over the rounds. */
interface Row {
  readonly cpu_us: number;
  readonly cpu_us_min: number;
  readonly cpu_us_max: number;
  readonly requests_per_sec: number;
  readonly rss_mb_first: number;
  readonly rss_mb: number;
  readonly not_2xx: number;
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      conns: { type: 'string', default: '64' },
      identities: { type: 'string', default: '0' },
      'picket-args': { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const whole = (name: 'rounds' | 'seconds' | 'conns' | 'identities', min: number) => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < min)
      throw new Error(`--${name}: expected a whole number from ${min}`);
    return number;
  };
  const unknown = positionals.find((name) => !PEERS.some((peer) => peer.name === name));
  if (unknown !== undefined)
    throw new Error(`unknown peer ${unknown}: ${PEERS.map((peer) => peer.name).join(', ')}`);
  return {
    rounds: whole('rounds', 1),
    seconds: whole('seconds', 1),
    connections: whole('conns', 1),
    identities: whole('identities', 0),
    json: values.json,
    picketArgs: values['picket-args'].split(' ').filter(Boolean),
    peers: PEERS.filter((peer) => positionals.length === 0 || positionals.includes(peer.name)),
  };
}

/** 500 paths and 9 queries in turn; with identities, as many bearer tokens in a scattered order. */
function loadScript(identities: number): string {
  return `local n = 0; local m = ${identities}
request = function()
  n = n + 1
  if m > 0 then wrk.headers["Authorization"] = "Bearer tok-" .. ((n * 7919) % m) end
  return wrk.format("GET", "/items/" .. (n % 500) .. "?page=" .. (n % 9))
end
`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

const round = (value: number, digits = 1) => Number(value.toFixed(digits));
const note = (line: string) => process.stderr.write(`${line}\n`);

interface Load {
  readonly wrk: string;
  readonly script: string;
  readonly connections: number;
}

/** Runs wrk for some seconds; returns the requests it counted and the answers that were not 2xx or 3xx. */
async function runLoad(
  load: Load,
  port: number,
  seconds: number,
): Promise<{ requests: number; bad: number }> {
  const flags = [
    '-t1',
    `-c${load.connections}`,
    `-d${seconds}s`,
    '-s',
    load.script,
    `http://127.0.0.1:${port}`,
  ];
  const { stdout } = await promisify(execFile)('taskset', ['-c', String(LOAD_CORE), load.wrk, ...flags]);
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0),
    bad: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0),
  };
}

async function startPeers(options: Options, folder: string): Promise<Running[]> {
  const running: Running[] = [];
  for (const [index, peer] of options.peers.entries()) {
    const port = FIRST_PORT + index;
    const command = peer.command({ folder, port, originPort: ORIGIN_PORT, picketArgs: options.picketArgs });
    if (typeof command === 'string') {
      note(`left out: ${command}`);
      continue;
    }
    const log = join(folder, `${peer.name}.log`);
    const started = cost.startPinned(command, PROXY_CORE, log, ROOT);
    if (await cost.untilListening(port, started)) {
      running.push({ peer, port, process: started, cpuUs: [], perSec: [], rssMb: [], bad: 0 });
    } else {
      note(`left out: ${peer.name} did not start: ${readFileSync(log, 'utf8').slice(-600)}`);
      await cost.stopPinned(started);
    }
  }
  return running;
}

async function measure(running: readonly Running[], load: Load, options: Options): Promise<void> {
  for (const { port } of running) await runLoad(load, port, WARM_UP_SEC);
  for (let number = 1; number <= options.rounds; number++) {
    for (const one of running) {
      const before = cost.cpuSec(one.process.pid);
      const { requests, bad } = await runLoad(load, one.port, options.seconds);
      const spent = cost.cpuSec(one.process.pid) - before;
      if (requests > 0) one.cpuUs.push((spent / requests) * 1e6);
      one.perSec.push(requests / options.seconds);
      one.rssMb.push(cost.rssMb(one.process.pid));
      one.bad += bad;
    }
    note(`round ${number} of ${options.rounds} done`);
  }
}

function rowOf({ cpuUs, perSec, rssMb, bad }: Running): Row {
  return {
    cpu_us: round(median(cpuUs)),
    cpu_us_min: round(Math.min(...cpuUs)),
    cpu_us_max: round(Math.max(...cpuUs)),
    requests_per_sec: Math.round(median(perSec)),
    rss_mb_first: Math.round(rssMb[0] ?? NaN),
    rss_mb: Math.round(rssMb.at(-1) ?? NaN),
    not_2xx: bad,
  };
}

interface Ratio {
  readonly ratio: number;
  /** Median of the ratios of each round: what both did within the same seconds. */
  readonly by_round: number;
  readonly promise: number;
  readonly kept: boolean;
}

function ratiosOf(running: readonly Running[]): Record<string, Ratio> {
  const picket = running.find(({ peer }) => peer.name === 'picket');
  const found: Record<string, Ratio> = {};
  for (const { peer, cpuUs } of running) {
    const promise = PROMISES[peer.name];
    if (picket === undefined || promise === undefined) continue;
    const ratio = round(median(picket.cpuUs) / median(cpuUs), 3);
    const byRound = round(median(picket.cpuUs.map((us, index) => us / (cpuUs[index] ?? NaN))), 3);
    found[peer.name] = { ratio, by_round: byRound, promise, kept: ratio <= promise };
  }
  return found;
}

function printTable(rows: Readonly<Record<string, Row>>, ratios: Readonly<Record<string, Ratio>>): void {
  const line = (cells: readonly string[]) => {
    const [first = '', ...rest] = cells;
    process.stdout.write(`${first.padEnd(12)}${rest.map((cell) => cell.padStart(16)).join('')}\n`);
  };
  line(['proxy', 'CPU µs/request', '(min-max)', 'requests/s', 'RSS MB', 'not 2xx']);
  for (const [name, row] of Object.entries(rows)) {
    const span = `${row.cpu_us_min}-${row.cpu_us_max}`;
    line([
      name,
      String(row.cpu_us),
      span,
      String(row.requests_per_sec),
      String(row.rss_mb),
      String(row.not_2xx),
    ]);
  }
  for (const [name, { ratio, by_round: byRound, promise, kept }] of Object.entries(ratios)) {
    const words = `picket / ${name}: ${ratio} (by round ${byRound}), promised at most ${promise}`;
    process.stdout.write(`${words}: ${kept ? 'kept' : 'MISSED'}\n`);
  }
}

async function main(options: Options): Promise<number> {
  const wrk = findTool('wrk');
  if (wrk === undefined) throw new Error('wrk is absent: apt-get install -y wrk');
  const folder = mkdtempSync(join(tmpdir(), 'picket-bench-'));
  const script = join(folder, 'load.lua');
  writeFileSync(script, loadScript(options.identities));
  const originLine = originCommand(folder, ORIGIN_PORT);
  if (typeof originLine === 'string') throw new Error(originLine);
  const origin = cost.startPinned(originLine, LOAD_CORE, join(folder, 'origin.log'), ROOT);
  let running: Running[] = [];
  try {
    if (!(await cost.untilListening(ORIGIN_PORT, origin)))
      throw new Error(`port ${ORIGIN_PORT} does not open`);
    running = await startPeers(options, folder);
    await measure(running, { wrk, script, connections: options.connections }, options);
  } finally {
    for (const { process: one } of [...running, { process: origin }]) await cost.stopPinned(one);
    rmSync(folder, { recursive: true, force: true });
  }
  const rows = Object.fromEntries(running.map((one) => [one.peer.name, rowOf(one)]));
  const ratios = ratiosOf(running);
  const { rounds, seconds, connections, identities } = options;
  const machine = `${cpus()[0]?.model ?? 'unknown'} × ${availableParallelism()}`;
  printTable(rows, ratios);
  const result = {
    machine,
    node: process.version,
    rounds,
    seconds,
    connections,
    identities,
    peers: rows,
    ratios,
  };
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  return running.length === 0 ? 1 : 0;
}

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (thrown) {
  process.stderr.write(`bench:proxy: ${(thrown as Error).message}\n`);
  process.exitCode = 2;
}
