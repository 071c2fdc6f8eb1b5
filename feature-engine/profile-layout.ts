// Where the parts of a profile lie: what is remembered of one principal from its second request on, beside its row. A profile
// begins with the key, like a row; each part is laid out by the kernel that its name comes from (kernel/assembly/).
// The kernel (assembly/observe.ts) has the same places; the engine compares the sizes at start.

import { OBJECT_WORDS } from './kernel/object-kernels.ts';
import { ENCOUNTER_WORDS, GRAPH_WORDS, SEQUENCE_WORDS } from './kernel/session-kernels.ts';

const KEY_WORDS = 4;
const LINE_WORDS = 16;
export const TRAVEL_WORDS = 20;
export const TRAVEL_AT = KEY_WORDS;
export const OBJECTS_AT = TRAVEL_AT + TRAVEL_WORDS;
export const ENCOUNTERS_AT = OBJECTS_AT + OBJECT_WORDS;
export const GRAPH_AT = ENCOUNTERS_AT + ENCOUNTER_WORDS;
export const SEQUENCE_AT = GRAPH_AT + GRAPH_WORDS;
/** Whole cache lines; all parts begin at even words, so that f64 places are whole. */
export const PROFILE_WORDS = Math.ceil((SEQUENCE_AT + SEQUENCE_WORDS) / LINE_WORDS) * LINE_WORDS;
export const PROFILE_BYTES = PROFILE_WORDS * 4;
