// Where the parts of a profile lie: what is remembered of one identity from its second request on, beside its row.
// A profile begins with the key, like a row; each part is laid out by the file that its name comes from.

import { ENCOUNTER_WORDS } from './encounters.ts';
import { GRAPH_WORDS } from './graph.ts';
import { OBJECT_WORDS } from './objects.ts';
import { SEQUENCE_WORDS } from './sequence.ts';
import { TRAVEL_WORDS } from './travel.ts';

const KEY_WORDS = 4;
export const GRAPH_AT = KEY_WORDS;
export const SEQUENCE_AT = GRAPH_AT + GRAPH_WORDS;
export const OBJECTS_AT = SEQUENCE_AT + SEQUENCE_WORDS;
export const TRAVEL_AT = OBJECTS_AT + OBJECT_WORDS;
export const ENCOUNTERS_AT = TRAVEL_AT + TRAVEL_WORDS;
/** All parts begin at even words, so that f64 places are whole. */
export const PROFILE_WORDS = ENCOUNTERS_AT + ENCOUNTER_WORDS;
export const PROFILE_BYTES = PROFILE_WORDS * 4;
