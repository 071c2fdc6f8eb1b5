// What the host may call in the feature engine's kernels. Works on the memory that the host made; keeps nothing elsewhere.
// Called through kernel/memory.ts.

import { call } from './call';
import { estimates } from './sketch';

/** First byte behind the kernels' own tables: the host's regions begin here. */
export const heapBase: usize = __heap_base;
/** Address of the struct of the request at hand: call.ts. */
export const callAt: usize = call;
/** Address of the table of estimates, which the host fills: sketch.ts. */
export const estimatesAt: usize = estimates;

export { mix32 } from './mix';
