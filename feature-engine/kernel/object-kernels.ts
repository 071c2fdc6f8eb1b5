// Objects as the host sees them: what the kernels export, how large a principal's block is, and how the tables that the
// workload shares get their region. Configures and sizes only; the kernels are assembly/objects.ts and object-memory.ts. Used
// by the engine when it makes its memory, and by tests.

import type { EngineMemory } from './memory.ts';

/** A block is the address of a principal's part; marks and hashes are 32 bits, signed or not. */
export interface ObjectKernels {
  readonly objectBytes: { readonly value: number };
  configureObjectMemory(at: number, pairBlocks: number, pathBlocks: number, userPlaces: number): void;
  configureObjects(place: number): void;
  /** Counts the request of the call struct into the block and writes its features into the vector at `out`. */
  observeObjects(block: number, out: number): void;
  /** Counts the answer of the call struct into the block. */
  objectsAnswered(block: number): void;
  pairSeen(a: number, b: number): number;
  pathSeen(who: number, path: number): number;
  usedByAnother(object: number, user: number): number;
}

/** Words of a principal's block, even; its routes fall on cache lines where it begins 32 bytes behind one. */
export const OBJECT_WORDS = 232;
/** Places that observeObjects fills. */
export const OBJECT_FEATURES_COUNT = 11;

/** Sizes of the shared tables, each a power of two. */
export interface ObjectOptions {
  /** Blocks of 256 bits a day for pairs of identity and object or path (64 bytes each). */
  readonly pairBlocks: number;
  /** Blocks of 256 bits for the pairs of identity and path of an hour (32 bytes each). */
  readonly pathBlocks: number;
  /** Objects whose last user is known (8 bytes each). */
  readonly userPlaces: number;
}

const CLOCK_BYTES = 64;

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}

/** Tables that grow with the identities: about 2 % of pairs mistaken at 8 pairs a day of each. */
export function objectSizes(identities: number): ObjectOptions {
  return {
    pairBlocks: powerOfTwo(Math.max(identities / 4, 256)),
    pathBlocks: powerOfTwo(Math.max(identities / 8, 128)),
    userPlaces: powerOfTwo(Math.max(identities * 2, 4096)),
  };
}

/** Bytes that configureObjects takes: what the workload shares, whatever the number of principals. */
export function objectTableBytes({ pairBlocks, pathBlocks, userPlaces }: ObjectOptions): number {
  return CLOCK_BYTES + pairBlocks * 64 + pathBlocks * 32 + userPlaces * 8;
}

/** Gives the object kernels their region and place. Once per memory. Throws RangeError when it or a size is wrong. */
export function configureObjects(memory: EngineMemory, place: number, sizes: ObjectOptions): void {
  const { kernels } = memory;
  const { pairBlocks, pathBlocks, userPlaces } = sizes;
  for (const size of [pairBlocks, pathBlocks, userPlaces])
    if (size < 1 || powerOfTwo(size) !== size) throw new RangeError(`${size} is no power of two`);
  if (kernels.objectBytes.value !== OBJECT_WORDS * 4)
    throw new RangeError(`a block of objects has ${kernels.objectBytes.value} bytes`);
  const at = memory.take(objectTableBytes(sizes), 'objects');
  kernels.configureObjectMemory(at, pairBlocks, pathBlocks, userPlaces);
  kernels.configureObjects(place);
}
