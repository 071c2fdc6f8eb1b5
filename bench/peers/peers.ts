// The proxies that bench/proxy.ts compares, as data: what each needs and the command that starts it. Picket is started
// the way a user starts it, through npx. Starts nothing itself.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTool } from '../../scripts/tools.ts';
import { envoy, haproxy, nginxOrigin, nginxProxy } from './configs.ts';

export interface PeerPlace {
  /** A scratch folder for config files and state. */
  readonly folder: string;
  readonly port: number;
  readonly originPort: number;
  /** Further arguments of `picket sidecar`. */
  readonly picketArgs: readonly string[];
}

export interface Peer {
  readonly name: string;
  /** The command line, or why this peer cannot run here. */
  readonly command: (place: PeerPlace) => readonly string[] | string;
}

const ADMIN_PORT_STEP = 1000;
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const nodeScript = (name: string, { port, originPort }: PeerPlace) => {
  return [process.execPath, script(name), String(port), String(originPort)];
};

function write(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** `command` with the tool's path, or the sentence that says how to get the tool. */
function withTool(name: string, command: (tool: string) => readonly string[]): readonly string[] | string {
  const tool = findTool(name);
  return tool === undefined ? `${name} is absent: npm run tools -- ${name}` : command(tool);
}

/** The origin: nginx with a static answer. */
export function originCommand(folder: string, port: number): readonly string[] | string {
  return withTool('nginx', (tool) => [tool, '-c', write(folder, 'origin.conf', nginxOrigin(folder, port))]);
}

function picketCommand({ folder, port, originPort, picketArgs }: PeerPlace): readonly string[] {
  const stateDir = join(folder, `state-${port}`);
  mkdirSync(stateDir, { recursive: true });
  const addresses = [
    ...['--listen', `127.0.0.1:${port}`],
    ...['--upstream', `http://127.0.0.1:${originPort}`],
    ...['--admin', `127.0.0.1:${port + ADMIN_PORT_STEP}`],
  ];
  return ['npx', 'picket', 'sidecar', ...addresses, '--state-dir', stateDir, ...picketArgs];
}

export const PEERS: readonly Peer[] = [
  {
    name: 'nginx',
    command: ({ folder, port, originPort }) =>
      withTool('nginx', (tool) => [
        tool,
        '-c',
        write(folder, 'proxy.conf', nginxProxy(folder, port, originPort)),
      ]),
  },
  {
    name: 'haproxy',
    command: ({ folder, port, originPort }) =>
      withTool('haproxy', (tool) => [
        tool,
        '-db',
        '-f',
        write(folder, 'haproxy.cfg', haproxy(port, originPort)),
      ]),
  },
  {
    name: 'envoy',
    command: ({ folder, port, originPort }) =>
      withTool('envoy', (tool) => {
        const file = write(folder, 'envoy.json', envoy(port, originPort));
        return [tool, '-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart'];
      }),
  },
  { name: 'http-proxy', command: (place) => nodeScript('http-proxy.ts', place) },
  { name: 'undici', command: (place) => nodeScript('undici.ts', place) },
  { name: 'picket', command: picketCommand },
];
