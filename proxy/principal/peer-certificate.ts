// Who the client certificate of a connection names: its SPIFFE id, else its subject. Only of a certificate that the TLS layer
// has verified. The sidecar's own listeners speak plain HTTP today, so their connections have none; the seam is here so that a
// listener with TLS needs to hand over its socket and nothing else. Called once per connection, by connection.ts.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { IdentityKind } from '../../domain/identity.ts';
import { isSpiffeId } from './spiffe.ts';

export interface PeerName {
  readonly kind: Extract<IdentityKind, 'spiffe' | 'client_cert'>;
  readonly bytes: Uint8Array;
}

const URI = 'URI:';
const SUBJECT_MAX_CHARS = 4096;

/** Null without TLS, without a client certificate, or if it was not verified. */
export function peerNameOf(socket: Socket): PeerName | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const spiffe = spiffeIdOf(certificate.subjectAltName);
  if (spiffe !== null) return { kind: 'spiffe', bytes: spiffe };
  const { subject } = certificate;
  if (subject === undefined || subject === '' || subject.length > SUBJECT_MAX_CHARS) return null;
  return { kind: 'client_cert', bytes: Buffer.from(subjectLine(subject), 'utf8') };
}

/** The one URI name of an X.509-SVID (X509-SVID.md section 2); several, or one that is quoted, name nobody. */
function spiffeIdOf(names: string | undefined): Uint8Array | null {
  const uris = (names ?? '').split(', ').filter((name) => name.startsWith(URI));
  const bytes = Buffer.from(uris[0]?.slice(URI.length) ?? '', 'utf8');
  return uris.length === 1 && isSpiffeId(bytes, 0, bytes.length) ? bytes : null;
}

/** Node gives one attribute a line in the certificate's order; RFC 2253, as proxies write it, wants the last one first. */
function subjectLine(subject: string): string {
  return subject.trim().split('\n').reverse().join(',');
}
