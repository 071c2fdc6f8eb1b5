// What the host may call in the feature engine's kernels. Works on the memory that the host made; keeps nothing elsewhere.
// Called through kernel/module.ts.

/** First byte behind the kernels' own tables: the host's regions begin here. */
export const heapBase: usize = __heap_base;

export { mix32 } from './mix';
