// How the sidecar shows itself to the control plane and checks it: TLS files and a bearer token, read anew at each
// connection, so that rotated files take effect by themselves. Values never leave this file except towards gRPC.

import { readFileSync } from 'node:fs';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials, Metadata } from '@grpc/grpc-js';
import { parseAddress } from '../../domain/cidr.ts';
import { PicketError } from '../../domain/errors.ts';
import { hostOf } from '../config.ts';

export interface CredentialFiles {
  readonly tls: boolean;
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tokenFile: string | undefined;
}

/** How a channel to an address is opened. */
export interface Dialing {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/** Stands in for a server name where the control plane is named by an address: TLS has no names for addresses. */
const NAMELESS = 'control-plane.invalid';

/** Throws CONFIG_INVALID naming the file that cannot be read or used. */
export function dialing(address: string, files: CredentialFiles): Dialing {
  if (!files.tls && files.tlsCa === undefined)
    return { credentials: credentials.createInsecure(), options: {} };
  const roots = optional('--tls-ca', files.tlsCa);
  const key = optional('--tls-key', files.tlsKey);
  const chain = optional('--tls-cert', files.tlsCert);
  const host = hostOf(address);
  const named = parseAddress(host) === null;
  // The certificate is checked against the address itself: it must name it as a subject alternative name.
  const verify = named
    ? {}
    : {
        checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
          checkServerIdentity(host, certificate),
      };
  try {
    return {
      credentials: credentials.createSsl(roots, key, chain, verify),
      options: named ? {} : { 'grpc.ssl_target_name_override': NAMELESS },
    };
  } catch (thrown) {
    throw new PicketError(
      'CONFIG_INVALID',
      `the TLS files cannot be used: ${PicketError.from(thrown).message}`,
    );
  }
}

/** The metadata of a call: the bearer token, if there is a file. A leading `sidecar:` (the control plane's form) is cut. */
export function callMetadata(files: CredentialFiles): Metadata {
  const metadata = new Metadata();
  const content = optional('--token-file', files.tokenFile);
  if (content === null) return metadata;
  const line = content
    .toString('utf8')
    .split('\n')
    .map((text) => text.trim())
    .find((text) => text !== '' && !text.startsWith('#'));
  const token = line?.replace(/^sidecar:/, '') ?? '';
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new PicketError('CONFIG_INVALID', 'the token file holds no token', {
      hint: 'it is one line of visible characters',
    });
  }
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

function optional(flag: string, path: string | undefined): Buffer | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path);
  } catch (thrown) {
    throw new PicketError(
      'CONFIG_INVALID',
      `the file of ${flag} cannot be read: ${PicketError.from(thrown).message}`,
    );
  }
}
