// A control plane's config: the options' values, checked together. All that is wrong is found before anything starts.
// A gRPC listener that others can reach without TLS and tokens is refused here, in plain words. Opens nothing.

import { cidrContains, parseAddress, parseCidr } from '../domain/cidr.ts';
import { PicketError, type Problem } from '../domain/errors.ts';
import type { HostPort } from '../domain/option-kinds.ts';
import { configError, type OptionValues, parseOptionFile, parseOptions } from '../domain/options.ts';
import { CONTROL_PLANE_OPTIONS } from './control-plane-options.ts';

export type ControlPlaneConfig = OptionValues<typeof CONTROL_PLANE_OPTIONS>;

const LOOPBACK = [parseCidr('127.0.0.0/8'), parseCidr('::1')].filter((cidr) => cidr !== null);

/** Names and literals that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  if (host === 'localhost') return true;
  const address = parseAddress(host);
  return address !== null && LOOPBACK.some((cidr) => cidrContains(cidr, address));
}

/** `host:port`, with brackets where they are needed. */
export function addressText({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Problems between options. Shared by the command and by `picket validate`. */
export function checkControlPlaneConfig(config: ControlPlaneConfig): Problem[] {
  const problems: Problem[] = [];
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined)) {
    const field = config.tlsCert === undefined ? '--tls-key' : '--tls-cert';
    problems.push({ field, value: 'alone', expected: '--tls-cert and --tls-key together' });
  }
  if (config.tlsCa !== undefined && config.tlsCert === undefined) {
    problems.push({ field: '--tls-ca', value: 'without --tls-cert', expected: '--tls-cert and --tls-key' });
  }
  if (config.requireSigned && config.trustedKeys === undefined) {
    problems.push({ field: '--require-signed', value: 'no --trusted-keys', expected: '--trusted-keys FILE' });
  }
  const { listen, http } = config;
  if (listen.port !== 0 && listen.port === http.port && listen.host === http.host) {
    problems.push({ field: '--http', value: addressText(http), expected: 'another address than --listen' });
  }
  return problems;
}

/** Throws LISTEN_REFUSED if others could reach the gRPC listener without TLS and tokens. */
export function requireProtection(config: ControlPlaneConfig): void {
  if (isLoopbackHost(config.listen.host)) return;
  const missing = [
    config.tlsCert === undefined ? 'TLS (--tls-cert and --tls-key)' : '',
    config.tokenFile === undefined ? 'tokens (--token-file)' : '',
  ].filter((part) => part !== '');
  if (missing.length === 0) return;
  const where = `${addressText(config.listen)} can be reached from other machines`;
  const danger = 'anyone could switch the mode of every sidecar';
  throw new PicketError('LISTEN_REFUSED', `${where} and lacks ${missing.join(' and ')}: ${danger}`, {
    hint: 'give them, or listen on loopback: --listen 127.0.0.1:14443',
  });
}

/** Checks the text of a config file and says what it would do. Throws CONFIG_INVALID or LISTEN_REFUSED. */
export function checkControlPlaneConfigFile(content: string): string {
  const parsed = parseOptions(CONTROL_PLANE_OPTIONS, { args: [], env: {}, file: parseOptionFile(content) });
  const missing = parsed.problems.some((problem) => problem.value === 'nothing');
  const problems = [...parsed.problems, ...(missing ? [] : checkControlPlaneConfig(parsed.values))];
  if (problems.length > 0) throw configError(problems);
  requireProtection(parsed.values);
  const { listen, http, dataDir } = parsed.values;
  const where = `gRPC on ${addressText(listen)}, HTTP on ${addressText(http)}`;
  return `control plane config: ${where}, data in ${dataDir}`;
}
