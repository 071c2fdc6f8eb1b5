// Throw-away certificates for TLS tests, made with the openssl program: a CA, and certificates that it signed.
// Tests that need them are skipped, with the reason, where openssl is not installed.

import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

const openssl = (dir: string, ...args: string[]) =>
  execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });

/** A self-signed CA in `dir`. */
export function makeCa(dir: string, name: string): CertificateFiles {
  const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.crt`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(dir, 'req', '-x509', ...curve, '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`);
  return { cert, key };
}

/** A certificate for localhost and 127.0.0.1, signed by the CA. */
export function makeCertificate(dir: string, ca: CertificateFiles, name: string): CertificateFiles {
  const [key, cert, request] = [join(dir, `${name}.key`), join(dir, `${name}.crt`), join(dir, `${name}.csr`)];
  const extensions = join(dir, `${name}.ext`);
  writeFileSync(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(dir, 'req', ...curve, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
  const signer = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial'];
  openssl(dir, 'x509', '-req', '-in', request, ...signer, '-out', cert, '-days', '2', '-extfile', extensions);
  return { cert, key };
}
