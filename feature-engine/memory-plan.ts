// What a feature engine will take, before it is made: the same items and bytes as its own memoryPlan(), which a test compares.
// Rows and profiles by arithmetic; what does not grow with the identities is read off a small engine. Called by the sidecar's
// memory plan.

import { FeatureEngine } from './engine.ts';
import type { MemoryItem } from './engine-types.ts';

/** @param identities rows for identities; as many for addresses, and the default share of profiles. */
export function plannedMemory(identities: number): MemoryItem[] {
  const [small, large] = [8, 80].map((rows) =>
    new FeatureEngine({ identities: rows, profiles: rows, startedMs: 0, shared: false }).memoryPlan(),
  );
  const profiles = FeatureEngine.profilesFor(identities);
  return small!.map(({ name, bytes }, i) => {
    const perRow = (large![i]!.bytes - bytes) / 72;
    const rows = Math.ceil((name === 'profiles' ? profiles : identities) / 8) * 8;
    return { name, bytes: bytes + perRow * (rows - 8) };
  });
}
