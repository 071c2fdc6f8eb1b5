// Every start-up option of a sidecar: kind, default, reason. The one list behind flags, environment, config file, help text
// and docs/config.md. What the values mean together is in config.ts.

import { LIMITS } from '../domain/limits.ts';
import * as kinds from '../domain/option-kinds.ts';
import { jwksPlace } from './principal/jwks-source.ts';
import { storeUrlProblem } from './state/store-url.ts';

const NETWORK = 'Network';
const CONTROL = 'Control plane';
const JUDGEMENT = 'Policy and model';
const IDENTITY = 'Who is asking';
const BOUNDS = 'Limits and timeouts';
const RUNNING = 'Running';

const DAY_MS = 86_400_000;

function storeUrl(value: string): kinds.Refused | undefined {
  const problem = storeUrlProblem(value);
  return problem === null ? undefined : new kinds.Refused(problem);
}

function time(fallbackMs: number, help: string) {
  return kinds.duration({ min: 1, max: DAY_MS }, { help, group: BOUNDS, fallback: `${fallbackMs}ms` });
}

function count(fallback: number, max: number, help: string) {
  return kinds.int({ min: 1, max }, { help, group: BOUNDS, fallback: String(fallback) });
}

function addressOrName(value: string): kinds.Refused | undefined {
  const bare = value.startsWith('dns:///') ? value.slice('dns:///'.length) : value;
  const read = kinds.hostPort({ help: '' }).read(bare);
  return read instanceof kinds.Refused ? new kinds.Refused('HOST:PORT or dns:///NAME:PORT') : undefined;
}

export const SIDECAR_OPTIONS = {
  listen: kinds.hostPort({
    help: 'Where the traffic of the application arrives.',
    group: NETWORK,
    fallback: '127.0.0.1:14080',
  }),
  upstream: kinds.httpOrigin({
    help: 'The application, plain HTTP, such as http://127.0.0.1:8080.',
    group: NETWORK,
    required: true,
  }),
  admin: kinds.hostPort({
    help: 'Read-only listener for probes, metrics and status.',
    group: NETWORK,
    fallback: '127.0.0.1:14190',
  }),
  controlPlane: kinds.text({
    help: 'Where policy and models come from and events go to. Without it the sidecar stands alone.',
    group: CONTROL,
    placeholder: 'HOST:PORT',
    check: addressOrName,
  }),
  tls: kinds.flag({
    help: "TLS to the control plane, checked against the system's roots. Implied by --tls-ca.",
    group: CONTROL,
  }),
  tlsCa: kinds.file({ help: 'PEM roots that the control plane is checked against.', group: CONTROL }),
  tlsCert: kinds.file({ help: 'PEM certificate that the sidecar shows.', group: CONTROL }),
  tlsKey: kinds.file({ help: 'PEM key of --tls-cert.', group: CONTROL }),
  tokenFile: kinds.file({
    help: 'File with the bearer token for the control plane; read anew when it changes.',
    group: CONTROL,
  }),
  workload: kinds.text({
    help: 'Name of the workload, as policies name it.',
    group: CONTROL,
    fallback: 'default',
  }),
  namespace: kinds.text({ help: 'Namespace of the workload.', group: CONTROL, fallback: 'default' }),
  policy: kinds.file({
    help: 'Policy to start with (YAML or JSON), until a control plane gives one. Without it: monitor.',
    group: JUDGEMENT,
  }),
  bundle: kinds.file({
    help: 'Model bundle to start with. Without it: the default bundle of this build, if it has one.',
    group: JUDGEMENT,
  }),
  openapi: kinds.file({
    help: 'OpenAPI 3 document (YAML or JSON) of the application: its paths become declared routes.',
    group: JUDGEMENT,
  }),
  requireSigned: kinds.flag({
    help: 'Refuse bundles without a signature by one of --trusted-keys.',
    group: JUDGEMENT,
  }),
  trustedKeys: kinds.file({
    help: 'Keys that bundles may be signed with, one "KEY_ID BASE64" a line.',
    group: JUDGEMENT,
  }),
  trustedProxies: kinds.cidrList({
    help: 'Peers whose forwarding headers and request ids are believed.',
    group: IDENTITY,
    fallback: '',
  }),
  clientIpSource: kinds.oneOf(['peer', 'xff', 'forwarded'], {
    help: 'Where the client address is read: the connection, or a field that trusted peers set.',
    group: IDENTITY,
    fallback: 'peer',
  }),
  forwardHeaders: kinds.oneOf(['append', 'preserve'], {
    help: 'Set X-Forwarded-* for the application, or pass them as they came (if it counts hops).',
    group: IDENTITY,
    fallback: 'append',
  }),
  via: kinds.flag({
    help: 'Add Via to forwarded requests (RFC 9110); --no-via leaves it out.',
    group: IDENTITY,
    fallback: 'true',
  }),
  identities: kinds.int(
    { min: 64, max: 1_500_000 },
    {
      help: 'Identities (and client addresses) that are remembered at the same time, 2 KiB each.',
      group: IDENTITY,
      fallback: String(LIMITS.identitiesDefault),
    },
  ),
  newIdentitiesPerPeer: kinds.int(
    { min: 0, max: 65_535 },
    {
      help: 'New identities that an address may bring in a minute; further ones share one row. 0: no cap.',
      group: IDENTITY,
      fallback: '0',
    },
  ),
  identityKeyFile: kinds.file({
    help:
      'Secret (16 bytes or more) that identities are hashed with, one for a fleet. Without it: one that ' +
      '--state-dir keeps, else new at each start. Rotation: docs/identity.md.',
    group: IDENTITY,
  }),
  sharedWindows: kinds.text({
    help:
      'Redis or Valkey through which replicas share the windows of identities; needs --identity-key-file. ' +
      'Without it each sidecar knows its own traffic.',
    group: IDENTITY,
    placeholder: 'redis://HOST:PORT',
    check: storeUrl,
  }),
  sharedWindowsInterval: kinds.duration(
    { min: 10, max: 60_000 },
    { help: 'Between two exchanges with the shared store.', group: IDENTITY, fallback: '250ms' },
  ),
  sharedWindowsStaleness: kinds.duration(
    { min: 100, max: 600_000 },
    { help: 'What other replicas counted is used no longer than this.', group: IDENTITY, fallback: '1s' },
  ),
  jwks: kinds.text({
    help:
      'Key set (RFC 7517), a file or an https URL, that tokens are verified with: a verified sub names the ' +
      'principal. Without it a token is its own principal.',
    group: IDENTITY,
    placeholder: 'FILE|URL',
    check: (value) =>
      jwksPlace(value) === null ? new kinds.Refused('a file, or an https URL without user') : undefined,
  }),
  jwksCa: kinds.file({ help: "PEM roots for the URL of --jwks. Without it: the system's.", group: IDENTITY }),
  jwksRefresh: kinds.duration(
    { min: 1_000, max: DAY_MS },
    { help: 'Between two readings of --jwks.', group: IDENTITY, fallback: '15m' },
  ),
  geo: kinds.file({
    help: 'City or country database (.mmdb): place of client addresses. Read anew when it changes.',
    group: IDENTITY,
  }),
  asn: kinds.file({
    help: 'ASN or anonymous-IP database (.mmdb): network of client addresses. Read anew when it changes.',
    group: IDENTITY,
  }),
  hostingCidrs: kinds.file({
    help: 'CIDR blocks that count as data centres, one a line. Read anew when it changes.',
    group: IDENTITY,
  }),
  bodyMaxBytes: kinds.size(
    { min: 1, max: 2 ** 50 },
    { help: 'Largest request body; larger ones get 413. Without it: any size.', group: BOUNDS },
  ),
  bodyPrefixBytes: kinds.size(
    { min: 64, max: LIMITS.bodyPrefixMaxBytes },
    {
      help: 'First bytes of a body that hold-prefix routes are judged with.',
      group: BOUNDS,
      fallback: `${LIMITS.bodyPrefixBytes / 1024}KiB`,
    },
  ),
  heldBodiesMax: kinds.int(
    { min: 0, max: 4_096 },
    {
      help: 'Bodies held at the same time on hold-prefix routes; further requests are judged by their head.',
      group: BOUNDS,
      fallback: String(LIMITS.heldBodiesMax),
    },
  ),
  connectionsMax: count(LIMITS.connectionsMax, 1_000_000, 'Open client connections.'),
  inflightMax: count(LIMITS.inflightMax, 1_000_000, 'Requests at the same time; more get 503.'),
  headTimeout: time(LIMITS.headTimeoutMs, 'For a whole request head.'),
  bodyIdleTimeout: time(LIMITS.bodyIdleTimeoutMs, 'Between two pieces of a request body.'),
  keepAliveTimeout: time(LIMITS.keepAliveIdleMs, 'Between two requests of a client connection.'),
  connectTimeout: time(LIMITS.connectTimeoutMs, 'For connecting to the application.'),
  upstreamHeadTimeout: time(LIMITS.upstreamHeadTimeoutMs, "For the head of the application's answer."),
  upstreamBodyIdleTimeout: kinds.duration(
    { min: 0, max: DAY_MS },
    {
      help: "Between two pieces of the application's answer; 0ms is off: a quiet stream is a healthy stream.",
      group: BOUNDS,
      fallback: '0ms',
    },
  ),
  upstreamKeepAlive: time(
    LIMITS.upstreamKeepAliveMs,
    'How long an idle connection to the application is kept.',
  ),
  websocketHandshakeTimeout: time(LIMITS.wsHandshakeTimeoutMs, 'For the handshake of a WebSocket.'),
  websocketIdleTimeout: time(LIMITS.wsIdleTimeoutMs, 'Between two frames of a WebSocket, either way.'),
  retries: kinds.flag({
    help: 'Try once more what certainly did not reach the application; --no-retries never does.',
    group: BOUNDS,
    fallback: 'true',
  }),
  memoryLimitBytes: kinds.size(
    { min: 2 ** 24, max: 2 ** 50 },
    {
      help: 'Refuse to start if the memory plan is above this. Without it: the limit of the container.',
      group: BOUNDS,
    },
  ),
  stateDir: kinds.file({
    help:
      'Folder for the last good policy and bundle, what is remembered of identities, and the socket of ' +
      '"picket drain". Without it: a folder for this listener under the temporary folder.',
    group: RUNNING,
    placeholder: 'DIR',
  }),
  stateDirMaxBytes: kinds.size(
    { min: 0, max: 2 ** 40 },
    {
      help: 'Largest file of what is remembered of identities, the best known first; 0 keeps none.',
      group: RUNNING,
      fallback: '32MiB',
    },
  ),
  snapshotIntervalSeconds: kinds.int(
    { min: 0, max: 86_400 },
    {
      help: 'Between two saves of what is remembered; 0 saves only at drains and at the end.',
      group: RUNNING,
      fallback: '300',
    },
  ),
  workers: kinds.int(
    { min: 1, max: 64 },
    { help: 'Data threads; 1 for now.', group: RUNNING, fallback: '1' },
  ),
  drainSeconds: kinds.int(
    { min: 0, max: 3600 },
    {
      help: 'How long a stop waits for requests under way.',
      group: RUNNING,
      fallback: String(LIMITS.drainMs / 1000),
    },
  ),
  logLevel: kinds.oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    help: 'Least level that is logged.',
    group: RUNNING,
    fallback: 'info',
  }),
  clockRate: kinds.number(
    { min: 1, max: 1_000_000 },
    {
      help: 'How much faster than real time the windows run, for simulations; on loopback listeners only.',
      group: RUNNING,
      fallback: '1',
    },
  ),
  flaggedRingSlots: kinds.int(
    { min: 8, max: 2 ** 22 },
    {
      help: 'Flagged and blocked events that wait for the control plane.',
      group: BOUNDS,
      fallback: String(LIMITS.flaggedRingSlots),
      hidden: true,
    },
  ),
  allowRingSlots: kinds.int(
    { min: 8, max: 2 ** 22 },
    {
      help: 'Allowed events that wait for the control plane.',
      group: BOUNDS,
      fallback: String(LIMITS.allowRingSlots),
      hidden: true,
    },
  ),
};
