// Self-signed client certificates for tests of TLS connections, made with the openssl program, with the names that a test wants.
// Tests that need them are skipped, with the reason, where openssl is not installed.

import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

export interface ClientFiles {
  readonly cert: string;
  readonly key: string;
}

/** Subject `O=Picket, CN=name`; `san`: subject alternative names as openssl writes them, or none. */
export function makeClient(dir: string, name: string, san: string | null): ClientFiles {
  const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.crt`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = san === null ? [] : ['-addext', `subjectAltName=${san}`];
  const files = ['-keyout', key, '-out', cert, '-days', '2', '-subj', `/O=Picket/CN=${name}`];
  execFileSync('openssl', ['req', '-x509', ...curve, ...files, ...names], { cwd: dir, stdio: 'pipe' });
  return { cert, key };
}
