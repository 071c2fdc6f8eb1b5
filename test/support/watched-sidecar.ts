// A whole sidecar with a real data thread whose events are read here, since its control plane is away: for tests of what a
// request was seen as. Requests carry their id to the origin, which echoes it, so that each is found again.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PicketEvent } from '../../domain/event.ts';
import { placeOf } from '../../domain/features.ts';
import { Sidecar } from '../../proxy/main.ts';
import { memoryPlan } from '../../proxy/memory-plan.ts';
import { makeParts } from '../../proxy/parts.ts';
import { readStartFiles } from '../../proxy/start-files.ts';
import { ask, type Cleanup, sidecarConfig, until } from './sidecars.ts';

export class WatchedSidecar {
  readonly sidecar: Sidecar;
  readonly log: { readonly level: string; readonly msg: string }[];
  readonly #read: () => readonly PicketEvent[];
  readonly #seen: PicketEvent[] = [];

  constructor(
    sidecar: Sidecar,
    log: { readonly level: string; readonly msg: string }[],
    read: () => readonly PicketEvent[],
  ) {
    this.sidecar = sidecar;
    this.log = log;
    this.#read = read;
  }

  get url(): string {
    return `http://127.0.0.1:${this.sidecar.addresses.listeners[0]!.port}`;
  }

  /** One request, answered, and its event. */
  async event(headers: Record<string, string>, path = '/orders/1'): Promise<PicketEvent> {
    const answer = await ask(this.url + path, headers);
    const id = String(answer.headers['x-seen-request-id']);
    return until(
      () => {
        this.#seen.push(...this.#read());
        return this.#seen.find((event) => event.requestId === id) as PicketEvent;
      },
      (event) => event !== undefined,
    );
  }

  /** The named features of one request. */
  async features<N extends string>(
    names: readonly N[],
    headers: Record<string, string>,
    path?: string,
  ): Promise<Record<N, number>> {
    const { vector } = await this.event(headers, path);
    return Object.fromEntries(names.map((name) => [name, vector[placeOf(name)]!])) as Record<N, number>;
  }
}

async function startEcho(cleanup: Cleanup): Promise<string> {
  const server = createServer((req, res) => {
    res.setHeader('x-seen-request-id', String(req.headers['x-request-id']));
    res.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function startWatched(cleanup: Cleanup, args: readonly string[]): Promise<WatchedSidecar> {
  const upstream = await startEcho(cleanup);
  const config = sidecarConfig(['--upstream', upstream, '--control-plane', '127.0.0.1:9', ...args]);
  const files = await readStartFiles(config);
  const log: { level: string; msg: string }[] = [];
  const logStream = { write: (line: string): void => void log.push(JSON.parse(line)) };
  const parts = makeParts({ config, logStream }, files);
  const sidecar = new Sidecar(config, parts, memoryPlan(config, null));
  cleanup.add(() => sidecar.close());
  await sidecar.start(files);
  return new WatchedSidecar(sidecar, log, () =>
    parts.readers.flatMap((reader) => [...reader.read(1000, performance.now()).events]),
  );
}
