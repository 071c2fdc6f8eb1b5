// Starts a control plane in this process: store, policy, registry, gRPC and HTTP listeners; and stops it again.
// Wiring only. Called by `picket control-plane` and by tests. Reads no environment.

import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Clock } from '../domain/clock.ts';
import { PicketError } from '../domain/errors.ts';
import type { HostPort } from '../domain/option-kinds.ts';
import { parseTrustedKeys } from '../wasm-core/host/trusted-keys.ts';
import type { Caller } from './auth.ts';
import { addressText, type ControlPlaneConfig, requireProtection } from './config.ts';
import { Fleet } from './fleet.ts';
import { createHttpServer } from './http.ts';
import { Intake } from './intake.ts';
import { CONTROL_LIMITS } from './limits.ts';
import { documentOf, firstPolicy, PolicyBook } from './policy-book.ts';
import { Publisher } from './publish.ts';
import { Registry } from './registry.ts';
import { guard } from './rpc.ts';
import { ScoreDesk } from './score.ts';
import { ScoreEndpoint } from './score-http.ts';
import { addServices } from './services/all.ts';
import { Health } from './services/health-service.ts';
import { SERVICE_NAMES } from './services/reflection-service.ts';
import { statusOf } from './status.ts';
import { openSqliteStore } from './store/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { watchStore } from './store-watch.ts';
import { readSetting, TokenKeeper } from './token-keeper.ts';

export interface ControlPlaneDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Version of this program. */
  readonly version: string;
}

export interface RunningControlPlane {
  /** Where the gRPC listener really listens, `host:port`. */
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** Tells the sidecars, lets calls under way finish for a moment, closes the store. */
  close(): Promise<void>;
}

const STOP_GRACE_MS = 3_000;

/**
 * Starts everything or nothing. Throws CONFIG_INVALID, POLICY_INVALID, LISTEN_REFUSED (unprotected, or the address is taken)
 * or STORE_FAILED.
 */
export async function startControlPlane(
  config: ControlPlaneConfig,
  deps: ControlPlaneDeps,
): Promise<RunningControlPlane> {
  requireProtection(config);
  const credentials = credentialsOf(config);
  const trustedKeys =
    config.trustedKeys === undefined ? [] : parseTrustedKeys(setting(config.trustedKeys, '--trusted-keys'));
  const policyText = config.policy === undefined ? undefined : setting(config.policy, '--policy');
  const tokens = config.tokenFile === undefined ? null : new TokenKeeper(config.tokenFile, deps.log);
  const { dataDir: dir, retentionDays } = config;
  try {
    const store = await openSqliteStore({ dir, retentionDays, clock: deps.clock });
    try {
      const parts = await assemble({ config, deps, store, policyText, trustedKeys });
      return await listen(parts, credentials, tokens);
    } catch (thrown) {
      await store.close();
      throw thrown;
    }
  } catch (thrown) {
    tokens?.close();
    throw thrown;
  }
}

function setting(path: string, flag: string): string {
  return readSetting(path, flag).toString('utf8');
}

function credentialsOf({ tlsCert, tlsKey, tlsCa }: ControlPlaneConfig): ServerCredentials {
  if (tlsCert === undefined || tlsKey === undefined) return ServerCredentials.createInsecure();
  const roots = tlsCa === undefined ? null : readSetting(tlsCa, '--tls-ca');
  const pair = {
    cert_chain: readSetting(tlsCert, '--tls-cert'),
    private_key: readSetting(tlsKey, '--tls-key'),
  };
  try {
    createSecureContext({ cert: pair.cert_chain, key: pair.private_key, ca: roots ?? undefined });
    return ServerCredentials.createSsl(roots, [pair], roots !== null);
  } catch (thrown) {
    const { message } = PicketError.from(thrown);
    throw new PicketError('CONFIG_INVALID', `the TLS files cannot be used: ${message}`);
  }
}

interface Ingredients {
  readonly config: ControlPlaneConfig;
  readonly deps: ControlPlaneDeps;
  readonly store: Store;
  readonly policyText: string | undefined;
  readonly trustedKeys: ReturnType<typeof parseTrustedKeys>;
}

type Parts = Awaited<ReturnType<typeof assemble>>;

async function assemble({ config, deps, store, policyText, trustedKeys }: Ingredients) {
  const { clock, log } = deps;
  const policy = await firstPolicy(store.policies, clock, policyText);
  const fleet = new Fleet({ heartbeatMs: config.heartbeat, events: store.events, log });
  const dir = join(config.dataDir, 'bundles');
  const { requireSigned } = config;
  const registry = new Registry({ dir, store: store.models, clock, requireSigned, trustedKeys });
  const snapshot = { policy, document: documentOf(policy), bundle: await registry.active() };
  const publisher = new Publisher(fleet, clock, snapshot);
  const book = new PolicyBook(store.policies, publisher, clock);
  const intake = new Intake(store.events);
  const health = new Health(SERVICE_NAMES);
  const sources = {
    version: deps.version,
    startedMs: clock.nowMs(),
    clock,
    fleet,
    publisher,
    events: store.events,
  };
  const status = () => statusOf(sources);
  return {
    version: deps.version,
    config,
    clock,
    log,
    store,
    fleet,
    registry,
    publisher,
    book,
    intake,
    health,
    status,
  };
}

async function listen(
  parts: Parts,
  credentials: ServerCredentials,
  tokens: TokenKeeper | null,
): Promise<RunningControlPlane> {
  const { config, log, health } = parts;
  const operator: Caller = { role: 'operator', token: '' };
  const server = new Server({
    'grpc.max_receive_message_length': CONTROL_LIMITS.messageMaxBytes,
    'grpc.max_send_message_length': CONTROL_LIMITS.messageMaxBytes,
    'grpc.max_concurrent_streams': CONTROL_LIMITS.streamsMax,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    interceptors: [
      guard({
        authenticate: (authorization) => tokens?.authenticate(authorization) ?? operator,
        onRefused: (path) => log.warn({ path }, 'a caller was refused'),
      }),
    ],
  });
  addServices(server, parts);
  const http = createHttpServer({
    status: parts.status,
    intake: () => parts.intake.totals(),
    isServing: () => health.isServing,
    score: new ScoreEndpoint({
      desk: new ScoreDesk(parts.registry),
      authenticate: tokens === null ? null : (authorization) => tokens.authenticate(authorization),
      log,
    }),
    version: parts.version,
    log,
  });
  try {
    const grpcAddress = await bindGrpc(server, config.listen, credentials);
    const httpAddress = await bindHttp(http, config.http);
    log.info(
      { grpc: grpcAddress, http: httpAddress, policy: parts.book.current.version },
      'control plane started',
    );
    const unwatch = watchStore(parts.store.events, health, log);
    const close = async () => {
      unwatch();
      health.close();
      await parts.fleet.close();
      await stopGrpc(server);
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
      tokens?.close();
      await parts.store.close();
      log.info('control plane stopped');
    };
    return { grpcAddress, httpAddress, close };
  } catch (thrown) {
    server.forceShutdown();
    http.close();
    await parts.fleet.close();
    throw thrown;
  }
}

function bindGrpc(server: Server, address: HostPort, credentials: ServerCredentials): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync(addressText(address), credentials, (error, port) => {
      if (error === null) resolve(addressText({ host: address.host, port }));
      else reject(taken(address, error));
    });
  });
}

function bindHttp(server: ReturnType<typeof createHttpServer>, address: HostPort): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(taken(address, error)));
    server.listen(address.port, address.host, () => {
      const { port } = server.address() as AddressInfo;
      resolve(addressText({ host: address.host, port }));
    });
  });
}

function taken(address: HostPort, cause: Error): PicketError {
  return new PicketError('LISTEN_REFUSED', `cannot listen on ${addressText(address)}: ${cause.message}`, {
    cause,
    hint: 'another program may listen there: give another address, or port 0 for any free one',
  });
}

/** Calls under way may finish; what is still open then is cut. */
async function stopGrpc(server: Server): Promise<void> {
  const stopped = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  const timer = setTimeout(() => server.forceShutdown(), STOP_GRACE_MS);
  await stopped;
  clearTimeout(timer);
}
