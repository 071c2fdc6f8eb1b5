// Places in the vector of the groups that the kernels write: first place and number of each group, from the one list.
// The order inside a group is that of its list, which the file that writes it follows; profiles.test.ts holds them together.

import { placeOf } from '../domain/features.ts';
import { BUCKET_FEATURES } from '../domain/features-bucket.ts';
import { CROSSING_FEATURES } from '../domain/features-crossing.ts';
import { ENCOUNTER_FEATURES } from '../domain/features-encounters.ts';
import { GEO_FEATURES } from '../domain/features-geo.ts';
import { LEXICAL_FEATURES } from '../domain/features-lexical.ts';
import { OBJECT_FEATURES } from '../domain/features-objects.ts';
import { ROUTE_PROFILE_FEATURES } from '../domain/features-route-profile.ts';
import { SEQUENCE_FEATURES } from '../domain/features-sequence.ts';
import { SESSION_FEATURES } from '../domain/features-session.ts';

export const REQUEST_PLACE = placeOf('method_get');
export const PATH_BYTES_PLACE = placeOf('path_bytes');
export const IDENTITY_PLACE = placeOf('identity_requests_10s');
export const ADDRESS_PLACE = placeOf('address_requests_10s');
export const LINK_PLACE = placeOf('identity_addresses_5m');
export const STATE_PLACE = placeOf('state_age_s');
export const SESSION_PLACE = placeOf(SESSION_FEATURES[0]!.name);
export const SESSION_COUNT = SESSION_FEATURES.length;
export const SEQUENCE_PLACE = placeOf(SEQUENCE_FEATURES[0]!.name);
export const SEQUENCE_COUNT = SEQUENCE_FEATURES.length;
export const OBJECT_PLACE = placeOf(OBJECT_FEATURES[0]!.name);
export const OBJECT_COUNT = OBJECT_FEATURES.length;
export const GEO_PLACE = placeOf(GEO_FEATURES[0]!.name);
export const GEO_COUNT = GEO_FEATURES.length;
export const ENCOUNTER_PLACE = placeOf(ENCOUNTER_FEATURES[0]!.name);
export const ENCOUNTER_COUNT = ENCOUNTER_FEATURES.length;
export const CROSSING_PLACE = placeOf(CROSSING_FEATURES[0]!.name);
export const BUCKET_PLACE = placeOf(BUCKET_FEATURES[0]!.name);
export const ROUTE_PROFILE_PLACE = placeOf(ROUTE_PROFILE_FEATURES[0]!.name);
export const LEXICAL_PLACE = placeOf(LEXICAL_FEATURES[0]!.name);
export const BODY_PLACE = placeOf('body_entropy');
