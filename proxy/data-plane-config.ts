// The settings of a data plane: a frozen plain object that can be posted to a data thread, with defaults from LIMITS.
// Reading flags, files and environment is config.ts's business.

import type { Cidr } from '../domain/cidr.ts';
import { LIMITS } from '../domain/limits.ts';

export const CLIENT_IP_SOURCES = ['peer', 'xff', 'forwarded'] as const;
export type ClientIpSource = (typeof CLIENT_IP_SOURCES)[number];

export const FORWARD_HEADERS = ['append', 'preserve'] as const;
export type ForwardHeaders = (typeof FORWARD_HEADERS)[number];

export interface DataPlaneConfig {
  /** Peers whose forwarding fields and request ids are believed; empty = none. */
  readonly trustedProxies: readonly Cidr[];
  readonly clientIpSource: ClientIpSource;
  /** `append` sets X-Forwarded-*; `preserve` passes them as they came, for origins that count hops. */
  readonly forwardHeaders: ForwardHeaders;
  /** Adds Via (RFC 9110 section 7.6.3). */
  readonly via: boolean;
  /** Rows of the feature engine, per axis. */
  readonly identities: number;
  /** New identities an address may bring in a minute; 0 = no cap. */
  readonly newIdentitiesPerPeer: number;
  /** Larger request bodies are refused with 413; Infinity = no bound. */
  readonly bodyMaxBytes: number;
  /** First bytes of a body that hold-prefix routes are judged with, at most LIMITS.bodyPrefixMaxBytes. */
  readonly bodyPrefixBytes: number;
  /** Identities of which it can be shown what other replicas counted; 0 = windows are not shared. */
  readonly sharedViews: number;
  /** Bodies held at the same time; beyond it requests go on unheld. */
  readonly heldBodiesMax: number;
  readonly headTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
  readonly keepAliveIdleMs: number;
  readonly connectTimeoutMs: number;
  readonly upstreamHeadTimeoutMs: number;
  /** 0 = off: a quiet stream is a healthy stream. */
  readonly upstreamBodyIdleMs: number;
  readonly upstreamKeepAliveMs: number;
  readonly wsHandshakeTimeoutMs: number;
  readonly wsIdleTimeoutMs: number;
  readonly connectionsMax: number;
  readonly inflightMax: number;
  /** One more try for what certainly did not reach the origin, see forward/forward.ts. */
  readonly retries: boolean;
}

export const DEFAULT_DATA_PLANE_CONFIG: DataPlaneConfig = {
  trustedProxies: [],
  clientIpSource: 'peer',
  forwardHeaders: 'append',
  via: true,
  identities: LIMITS.identitiesDefault,
  newIdentitiesPerPeer: 0,
  sharedViews: 0,
  bodyMaxBytes: Infinity,
  bodyPrefixBytes: LIMITS.bodyPrefixBytes,
  heldBodiesMax: LIMITS.heldBodiesMax,
  headTimeoutMs: LIMITS.headTimeoutMs,
  bodyIdleTimeoutMs: LIMITS.bodyIdleTimeoutMs,
  keepAliveIdleMs: LIMITS.keepAliveIdleMs,
  connectTimeoutMs: LIMITS.connectTimeoutMs,
  upstreamHeadTimeoutMs: LIMITS.upstreamHeadTimeoutMs,
  upstreamBodyIdleMs: 0,
  upstreamKeepAliveMs: LIMITS.upstreamKeepAliveMs,
  wsHandshakeTimeoutMs: LIMITS.wsHandshakeTimeoutMs,
  wsIdleTimeoutMs: LIMITS.wsIdleTimeoutMs,
  connectionsMax: LIMITS.connectionsMax,
  inflightMax: LIMITS.inflightMax,
  retries: true,
};
