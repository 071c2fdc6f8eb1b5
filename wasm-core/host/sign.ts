// Signs a bundle with Ed25519: over the 128 header bytes, which hold the digest of all the rest. The bundle
// id does not change.
// Checks the container first, so nothing damaged gets a signature. Called by `picket` commands and tests.

import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import { PicketError } from '../../domain/errors.ts';
import { BUNDLE_SIGNED, HEADER, HEADER_BYTES, KEY_ID_BYTES, SIGN_BYTES } from './bundle-format.ts';
import { openContainer } from './container.ts';
import { crc32c } from './crc32c.ts';

/**
 * A signed copy of `bytes`. `keyId` is 1 to 32 printable ASCII characters; `privateKey` an Ed25519 key.
 * Signing a signed bundle replaces its signature.
 */
export function signBundle(bytes: Uint8Array, privateKey: KeyObject, keyId: string): Uint8Array {
  if (!/^[\x21-\x7e]+$/.test(keyId) || keyId.length > KEY_ID_BYTES) {
    throw new PicketError(
      'BUNDLE_SIGNATURE',
      `key id "${keyId}" is not 1 to ${KEY_ID_BYTES} printable characters`,
    );
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new PicketError('BUNDLE_SIGNATURE', 'bundles are signed with Ed25519 keys', {
      hint: 'make one with: openssl genpkey -algorithm ed25519',
    });
  }
  openContainer(bytes);
  const signed = bytes.slice();
  const view = new DataView(signed.buffer);
  view.setUint32(HEADER.flags, view.getUint32(HEADER.flags, true) | BUNDLE_SIGNED, true);
  view.setUint32(HEADER.crc, crc32c(signed.subarray(0, HEADER.crc)), true);
  const signAt = signed.length - SIGN_BYTES;
  signed.fill(0, signAt);
  signed.set(new TextEncoder().encode(keyId), signAt);
  signed.set(sign(null, signed.subarray(0, HEADER_BYTES), privateKey), signAt + KEY_ID_BYTES);
  return signed;
}
