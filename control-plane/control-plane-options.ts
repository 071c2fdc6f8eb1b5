// Every start-up option of a control plane: kind, default, reason. The one list behind flags, environment, config file,
// help text and docs/config.md. What the values mean together is in config.ts.

import * as kinds from '../domain/option-kinds.ts';

const NETWORK = 'Network';
const SECURITY = 'TLS and tokens';
const DATA = 'Data';
const RUNNING = 'Running';

export const CONTROL_PLANE_OPTIONS = {
  listen: kinds.hostPort({
    help: 'gRPC listener for sidecars and operators. Beyond loopback it needs TLS and a token file.',
    group: NETWORK,
    fallback: '127.0.0.1:14443',
  }),
  http: kinds.hostPort({
    help: 'Read-only listener for probes, metrics and status.',
    group: NETWORK,
    fallback: '127.0.0.1:14444',
  }),
  tlsCert: kinds.file({ help: 'PEM certificate chain of the gRPC listener.', group: SECURITY }),
  tlsKey: kinds.file({ help: 'PEM key of --tls-cert.', group: SECURITY }),
  tlsCa: kinds.file({
    help: 'PEM roots: callers must show a certificate of one of them.',
    group: SECURITY,
  }),
  tokenFile: kinds.file({
    help: 'Bearer tokens, one "role:token" a line (operator, sidecar, viewer). Read anew when it changes.',
    group: SECURITY,
  }),
  requireSigned: kinds.flag({
    help: 'Refuse models without a signature by one of --trusted-keys.',
    group: SECURITY,
  }),
  trustedKeys: kinds.file({
    help: 'Keys that models may be signed with, one "KEY_ID BASE64" a line.',
    group: SECURITY,
  }),
  dataDir: kinds.file({
    help: 'Folder for policies, models and events; made if it is not there.',
    group: DATA,
    placeholder: 'DIR',
    required: true,
  }),
  policy: kinds.file({
    help: 'Policy of the very first start (YAML or JSON). Afterwards the stored history rules.',
    group: DATA,
  }),
  retentionDays: kinds.int(
    { min: 0, max: 3650 },
    { help: 'Days that events are kept, today included; 0 keeps all.', group: DATA, fallback: '14' },
  ),
  heartbeat: kinds.duration(
    { min: 100, max: 600_000 },
    {
      help: 'Between two heartbeats of a sidecar stream; after two missed ones the sidecar counts as gone.',
      group: RUNNING,
      fallback: '5s',
    },
  ),
  logLevel: kinds.oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    help: 'Least level that is logged.',
    group: RUNNING,
    fallback: 'info',
  }),
};
