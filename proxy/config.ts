// A sidecar's config: the options' values, checked together and frozen. All that is wrong is found before anything starts.
// Opens no sockets; the files that must be good at start (policy, keys) are opened by main.ts.

import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Cidr } from '../domain/cidr.ts';
import { parseAddress } from '../domain/cidr.ts';
import type { Problem } from '../domain/errors.ts';
import type { HostPort } from '../domain/option-kinds.ts';
import { configError, type OptionValues, parseOptionFile, parseOptions } from '../domain/options.ts';
import { SNAPSHOT_BYTES_MIN } from '../feature-engine/snapshot-format.ts';
import { jwksPlace } from './principal/jwks-source.ts';
import { SIDECAR_OPTIONS } from './sidecar-options.ts';

export type SidecarConfig = OptionValues<typeof SIDECAR_OPTIONS>;
export type { Cidr, HostPort };

/** Names and literals that only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const bytes = parseAddress(host);
  if (bytes === null) return false;
  const mapped =
    bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
  if (mapped) return bytes[12] === 127;
  return bytes[15] === 1 && bytes.subarray(0, 15).every((byte) => byte === 0);
}

/** Host part of `HOST:PORT` or `dns:///NAME:PORT`. */
export function hostOf(address: string): string {
  const bare = address.startsWith('dns:///') ? address.slice('dns:///'.length) : address;
  return bare.slice(0, bare.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}

/** True if the connection to the control plane is encrypted. */
export function usesTls(config: SidecarConfig): boolean {
  return config.tls || config.tlsCa !== undefined;
}

type TakeProblem = (field: string, value: string, expected: string, hint?: string) => void;

function checkJwks({ jwks, jwksCa }: SidecarConfig, problem: TakeProblem): void {
  const place = jwks === undefined ? null : jwksPlace(jwks);
  const plainHost = place?.kind === 'url' && place.url.protocol === 'http:' ? place.url.hostname : null;
  if (plainHost !== null && !isLoopback(plainHost.replace(/^\[|\]$/g, '')))
    problem('--jwks', String(jwks), 'https beyond loopback', 'who can change the answer names principals');
  if (jwksCa !== undefined && (place?.kind !== 'url' || plainHost !== null))
    problem('--jwks-ca', jwksCa, '--jwks with an https URL');
}

type Complain = (field: string, value: string, expected: string, hint?: string) => void;

/** Problems between options. Shared by the command and by `picket validate`. */
export function checkSidecarConfig(config: SidecarConfig): Problem[] {
  const problems: Problem[] = [];
  const problem: TakeProblem = (field, value, expected, hint) => {
    problems.push({ field, value, expected, ...(hint === undefined ? {} : { hint }) });
  };
  if (config.workers > 1)
    problem('--workers', String(config.workers), '1', 'more data threads come with a later version');
  if (config.clockRate !== 1) {
    for (const [flag, { host }] of [
      ['--listen', config.listen],
      ['--admin', config.admin],
    ] as const) {
      if (!isLoopback(host))
        problem('--clock-rate', `${config.clockRate} with ${flag} on ${host}`, 'a loopback listener');
    }
  }
  checkState(config, problem);
  if (config.requireSigned && config.trustedKeys === undefined) {
    problem('--require-signed', 'no --trusted-keys', '--trusted-keys FILE');
  }
  if (config.clientIpSource !== 'peer' && config.trustedProxies.length === 0) {
    problem(
      '--client-ip-source',
      config.clientIpSource,
      '--trusted-proxies with it',
      'else nobody is believed',
    );
  }
  checkJwks(config, problem);
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined)) {
    problem(
      config.tlsCert === undefined ? '--tls-key' : '--tls-cert',
      'alone',
      '--tls-cert and --tls-key together',
    );
  }
  if (config.tlsCert !== undefined && !usesTls(config))
    problem('--tls-cert', 'without --tls or --tls-ca', 'one of them');
  const away = config.controlPlane !== undefined && !isLoopback(hostOf(config.controlPlane));
  if (away && !usesTls(config)) {
    problem(
      '--control-plane',
      String(config.controlPlane),
      'TLS beyond loopback',
      'add --tls-ca FILE or --tls',
    );
  }
  if (
    config.listen.port !== 0 &&
    config.listen.port === config.admin.port &&
    config.listen.host === config.admin.host
  ) {
    problem('--admin', `${config.admin.host}:${config.admin.port}`, 'another address than --listen');
  }
  return problems;
}

/** Problems of what outlives requests. */
function checkState(config: SidecarConfig, problem: Complain): void {
  if (config.sharedWindows !== undefined && config.identityKeyFile === undefined) {
    problem(
      '--shared-windows',
      'no --identity-key-file',
      '--identity-key-file FILE with it, the same for all replicas',
      'else no two of them know the same identity; make one with: openssl rand -hex 32',
    );
  }
  if (config.sharedWindows !== undefined && config.sharedWindowsInterval > config.sharedWindowsStaleness) {
    problem(
      '--shared-windows-interval',
      `${config.sharedWindowsInterval}ms`,
      'at most --shared-windows-staleness',
    );
  }
  if (config.stateDirMaxBytes > 0 && config.stateDirMaxBytes < SNAPSHOT_BYTES_MIN)
    problem('--state-dir-max-bytes', String(config.stateDirMaxBytes), `0 or at least ${SNAPSHOT_BYTES_MIN}`);
}

/** Where the last good policy and bundle and the drain socket lie. One folder per listener, readable by its user only. */
export function stateDirOf(config: Pick<SidecarConfig, 'stateDir' | 'listen'>): string {
  if (config.stateDir !== undefined) return config.stateDir;
  const name = config.listen.host.replaceAll(':', '_');
  return join(tmpdir(), `picket-${userInfo().uid}`, `${name}-${config.listen.port}`);
}

/** Checks the text of a config file and says what it would do. Throws CONFIG_INVALID. For `picket validate`. */
export function checkSidecarConfigFile(content: string): string {
  const parsed = parseOptions(SIDECAR_OPTIONS, { args: [], env: {}, file: parseOptionFile(content) });
  const missing = parsed.problems.some((problem) => problem.value === 'nothing');
  const problems = [...parsed.problems, ...(missing ? [] : checkSidecarConfig(parsed.values))];
  if (problems.length > 0) throw configError(problems);
  const { listen, upstream, controlPlane } = parsed.values;
  const control = controlPlane === undefined ? 'no control plane' : `control plane ${controlPlane}`;
  return `sidecar config: ${listen.host}:${listen.port} before ${upstream.origin}, ${control}`;
}
