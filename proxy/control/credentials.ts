// How the sidecar shows itself to the control plane and checks it: TLS files and a bearer token, read anew at each
// connection, so that rotated files take effect by themselves. Values never leave this file except towards gRPC.

import { readFileSync } from 'node:fs';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { PicketError } from '../../domain/errors.ts';

export interface CredentialFiles {
  readonly tls: boolean;
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tokenFile: string | undefined;
}

/** Throws CONFIG_INVALID naming the file that cannot be read or used. */
export function channelCredentials(files: CredentialFiles): ChannelCredentials {
  if (!files.tls && files.tlsCa === undefined) return credentials.createInsecure();
  try {
    return credentials.createSsl(
      optional('--tls-ca', files.tlsCa),
      optional('--tls-key', files.tlsKey),
      optional('--tls-cert', files.tlsCert),
    );
  } catch (thrown) {
    const error = PicketError.from(thrown);
    if (error.code === 'CONFIG_INVALID') throw error;
    throw new PicketError('CONFIG_INVALID', `the TLS files cannot be used: ${error.message}`);
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
