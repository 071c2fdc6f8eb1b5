// How good scores are on rows that the model has not seen: by request, by attack, and by actor.
// Pure counting. Used by scripts/train-default.ts; what it finds goes into the bundle's manifest.

import type { Label } from '../../simulator/request.ts';
import type { Rows } from './rows.ts';

export interface Judgement {
  /** Share of normal requests at or above the threshold. */
  readonly falsePositiveShare: number;
  /** Share of normal actors with at least one such request. */
  readonly normalActorsFlagged: number;
  /** By attack: share of requests (after warm-up) caught, and share of actors of whose requests 0.95 were. */
  readonly byAttack: Readonly<Record<string, { readonly recall: number; readonly actorsCaught: number }>>;
  /** Mean of the attacks' recalls. */
  readonly recall: number;
}

interface Tally {
  label: Label;
  requests: number;
  over: number;
}

/** @param scores one for each row. */
export function judge(rows: Rows, scores: Float64Array, threshold: number): Judgement {
  const tallies = new Map<string, Tally>();
  rows.labels.forEach((label, row) => {
    const actor = rows.actors[row] as string;
    const tally = tallies.get(actor) ?? { label, requests: 0, over: 0 };
    tally.requests++;
    if ((scores[row] as number) >= threshold) tally.over++;
    tallies.set(actor, tally);
  });
  const all = [...tallies.values()];
  const normal = all.filter((tally) => tally.label === 'normal');
  const names = [...new Set(all.map((tally) => tally.label))].filter((label) => label !== 'normal').sort();
  const byAttack = Object.fromEntries(
    names.map((name) => {
      const actors = all.filter((tally) => tally.label === name);
      const caught = actors.filter((tally) => tally.over >= 0.95 * tally.requests).length;
      return [name, { recall: shareOver(actors), actorsCaught: caught / actors.length }];
    }),
  );
  const recalls = Object.values(byAttack).map(({ recall }) => recall);
  return {
    falsePositiveShare: shareOver(normal),
    normalActorsFlagged: normal.filter((tally) => tally.over > 0).length / Math.max(normal.length, 1),
    byAttack,
    recall: recalls.reduce((sum, recall) => sum + recall, 0) / Math.max(recalls.length, 1),
  };
}

function shareOver(tallies: readonly Tally[]): number {
  const requests = tallies.reduce((sum, tally) => sum + tally.requests, 0);
  return tallies.reduce((sum, tally) => sum + tally.over, 0) / Math.max(requests, 1);
}
