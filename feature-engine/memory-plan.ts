// What a feature engine will take, before it is made: the same items and bytes as its own memoryPlan(), which a test compares.
// By arithmetic only. Called by the sidecar's memory plan.

import { FEATURE_COUNT } from '../domain/features.ts';
import { memoryItems } from './engine-regions.ts';
import type { MemoryItem } from './engine-types.ts';

/**
 * @param identities rows for identities; as many for addresses, and the default share of profiles.
 * @param sharedViews the engine's option of that name.
 */
export function plannedMemory(identities: number, sharedViews = 0): MemoryItem[] {
  return memoryItems({ identities, sharedViews }, FEATURE_COUNT);
}
