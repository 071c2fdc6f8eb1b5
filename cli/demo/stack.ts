// The whole of Picket on loopback: the sample API in this process, control plane and sidecar as processes of their own.
// Used by `npm start` and by the k6 runs, so that both drive the same thing.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startUpstream } from '../../simulator/upstream.ts';
import { PACKAGE_ROOT } from '../package-root.ts';
import { type Child, freePort, startPicket, stopAll, untilReady } from './processes.ts';

export const DEMO_WORKLOAD = 'sample';
/** Country of every address, CC0; a development dependency, so absent where Picket was installed without those. */
const COUNTRIES = join(
  ...[PACKAGE_ROOT, 'node_modules', '@ip-location-db', 'geo-whois-asn-country-mmdb'],
  'geo-whois-asn-country.mmdb',
);

export interface Stack {
  /** http://127.0.0.1:PORT of each. */
  readonly upstream: string;
  readonly sidecar: string;
  readonly admin: string;
  /** HOST:PORT of the control plane's gRPC listener. */
  readonly controlPlane: string;
  close(): Promise<void>;
}

export interface StackOptions {
  /** An empty folder for the state of both processes. */
  readonly folder: string;
  /** Simulated time runs so many times faster than the wall clock. */
  readonly clockRate: number;
}

/** The fields of /status that are looked at here. */
interface SidecarStatus {
  readonly control_plane?: { readonly state?: string } | null;
  readonly bundle_id?: string | null;
}

export async function readStatus<T>(admin: string): Promise<T | null> {
  try {
    const answer = await fetch(`${admin}/status`, { signal: AbortSignal.timeout(1_000) });
    return answer.ok ? ((await answer.json()) as T) : null;
  } catch {
    return null;
  }
}

/** Starts everything and waits until the sidecar is connected to its control plane. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { folder, clockRate } = options;
  const api = await startUpstream({ latencyScale: 1 / clockRate });
  const grpc = `127.0.0.1:${await freePort(14_443)}`;
  const http = `127.0.0.1:${await freePort(14_444)}`;
  const listen = `127.0.0.1:${await freePort(14_080)}`;
  const admin = `127.0.0.1:${await freePort(14_190)}`;
  const upstream = `http://127.0.0.1:${api.port}`;
  const controlPlaneFolder = join(folder, 'control-plane');
  const controlPlane = ['--listen', grpc, '--http', http, '--data-dir', controlPlaneFolder];
  const ports = ['--listen', listen, '--upstream', upstream, '--admin', admin, '--control-plane', grpc];
  const state = ['--workload', DEMO_WORKLOAD, '--state-dir', join(folder, 'sidecar')];
  const clients = ['--client-ip-source', 'xff', '--trusted-proxies', '127.0.0.0/8'];
  const places = existsSync(COUNTRIES) ? ['--geo', COUNTRIES] : [];
  const clock = ['--clock-rate', String(clockRate)];
  const children: Child[] = [
    startPicket('control plane', ['control-plane', ...controlPlane]),
    startPicket('sidecar', ['sidecar', ...ports, ...state, ...clients, ...places, ...clock]),
  ];
  const close = async (): Promise<void> => {
    await stopAll(children.toReversed());
    await api.close();
  };
  try {
    await untilReady(children, 'the sidecar does not connect to the control plane', async () => {
      const status = await readStatus<SidecarStatus>(`http://${admin}`);
      return status?.control_plane?.state === 'connected';
    });
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { upstream, sidecar: `http://${listen}`, admin: `http://${admin}`, controlPlane: grpc, close };
}
