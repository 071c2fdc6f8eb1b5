// What the host may call in the feature engine's kernels. Works on the memory that the host made; keeps nothing elsewhere.
// Called through kernel/memory.ts.

import { call } from './call';
import { BUCKET_BYTES } from './bucket';
import { ENCOUNTERS_BYTES } from './encounters';
import { GRAPH_BYTES } from './graph';
import { LOGIN_ROUTES_BYTES } from './login-routes';
import { OBJECT_BYTES } from './objects';
import { PROFILE_BYTES } from './observe';
import { logs, RARITY_BYTES } from './rarity';
import { ROUTE_PROFILES_BYTES } from './route-profile';
import { SEQUENCE_BYTES } from './sequence';
import { estimates } from './sketch';

/** Bytes of a profile, for the host to compare with what it plans: profile-layout.ts. */
export const profileBytes: usize = PROFILE_BYTES;
/** First byte behind the kernels' own tables: the host's regions begin here. */
export const heapBase: usize = __heap_base;
/** Address of the struct of the request at hand: call.ts. */
export const callAt: usize = call;
/** Address of the table of estimates, which the host fills: sketch.ts. */
export const estimatesAt: usize = estimates;
/** Address of the table of logarithms, which the host fills: rarity.ts. */
export const logsAt: usize = logs;
/** Bytes of blocks and sketches, for the host to compare with what it plans: session-kernels.ts. */
export const graphBytes: usize = GRAPH_BYTES;
export const sequenceBytes: usize = SEQUENCE_BYTES;
export const encountersBytes: usize = ENCOUNTERS_BYTES;
export const rarityBytes: usize = RARITY_BYTES;

export { mix32 } from './mix';

export { configureEdgeDegrees, degreesArrive } from './edge-degrees';
export { configureEncounters, encountersObserve } from './encounters';
export {
  configureGraph,
  graphBegin,
  graphCall,
  graphFingerprint,
  graphObserve,
  graphWrite,
} from './graph';
export { configureGraphRarity, shareGraph } from './graph-rarity';
export { rarityAdd, rarityBegin, rarityCount, surpriseOf } from './rarity';
export { configureSequence, sequenceAnswered, sequenceBegin, sequenceObserve } from './sequence';

export { answer, lateAnswers, staleAnswers } from './answer';
export { configureFind, sharedRequests } from './find-rows';
export { setMoment } from './moment';
export { configureOverlays } from './overlays';
export { configureObserve, configureProfiles, configureRowPlaces, observe } from './observe';
export {
  addGood,
  addresses,
  configureTable,
  find,
  handleOf,
  identities,
  peek,
  profiles,
  rowOfHandle,
} from './table';
export { rename, restore, slotAge, slotRank } from './table-moves';
export { configureTravel, travelObserve } from './travel';

export const bucketBytes: usize = BUCKET_BYTES;
export { bucketAnswered, configureBucket, observeBucket } from './bucket';
export const objectBytes: usize = OBJECT_BYTES;
export const loginRoutesBytes: usize = LOGIN_ROUTES_BYTES;
export const routeProfilesBytes: usize = ROUTE_PROFILES_BYTES;
export { configureCrossing, crossingAnswered, observeCrossing } from './crossing';
export { log2 } from './log2';
export { configureObjectMemory, pairSeen, pathSeen, usedByAnother } from './object-memory';
export { configureObjects, objectsAnswered, observeObjects } from './objects';

export { configureHead, familyOf, headRegionBytes, readBodyPrefix, readHead } from './head';
export { hashBytes } from './hash-bytes';
export { looksLikeId } from './object-id';
export {
  configureRouteProfiles,
  routeProfileAnswered,
  routeProfileKeep,
  routeProfileObserve,
} from './route-profile';
export { siphash128 } from './siphash';
export { addLexiconWord, addPlainName, isPlainName } from './words';
export { addTrace, configureTraces, findTrace } from './traces';
