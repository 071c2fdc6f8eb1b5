// The id of a list of feature ids: the same list gives the same id in every build. For the record only
// (events, manifests); it is never an equality gate. 64-bit FNV-1a over the decimal ids, as 16 hex digits.

export function schemaId(ids: readonly number[]): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of ids.join(',')) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte.charCodeAt(0))) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}
