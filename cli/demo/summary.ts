// Counts one phase of the demo: labels from the simulator, refusals from what clients saw, flags from stored events
// joined on the request id. Pure; cli/demo.ts gathers the inputs.

/** An attacker's first requests look like anyone's: they are not counted. */
export const ACTOR_WARM_UP_REQUESTS = 5;

/** One request as its client saw it. */
export interface SeenRequest {
  readonly requestId: string;
  /** `normal`, or the name of an attack. */
  readonly label: string;
  /** 1 for the actor's first request. */
  readonly nth: number;
  /** Answered 403 or 429 by Picket with the reason `policy.blocked`. */
  readonly refused: boolean;
}

export interface PhaseCounts {
  requests: number;
  attacks: number;
  attacks_flagged: number;
  attacks_refused: number;
  normal: number;
  normal_flagged: number;
  normal_refused: number;
}

export interface AttackCounts {
  sent: number;
  refused: number;
}

/** `flagged`: ids of requests whose stored verdict is flag or block. */
export function countPhase(seen: Iterable<SeenRequest>, flagged: ReadonlySet<string>): PhaseCounts {
  const counts: PhaseCounts = {
    requests: 0,
    attacks: 0,
    attacks_flagged: 0,
    attacks_refused: 0,
    normal: 0,
    normal_flagged: 0,
    normal_refused: 0,
  };
  for (const request of seen) {
    counts.requests++;
    if (request.label === 'normal') {
      counts.normal++;
      if (flagged.has(request.requestId)) counts.normal_flagged++;
      if (request.refused) counts.normal_refused++;
    } else if (request.nth > ACTOR_WARM_UP_REQUESTS) {
      counts.attacks++;
      if (flagged.has(request.requestId)) counts.attacks_flagged++;
      if (request.refused) counts.attacks_refused++;
    }
  }
  return counts;
}

/** Per attack, over the same requests as countPhase counts. */
export function countAttacks(seen: Iterable<SeenRequest>): Record<string, AttackCounts> {
  const byAttack: Record<string, AttackCounts> = {};
  for (const request of seen) {
    if (request.label === 'normal' || request.nth <= ACTOR_WARM_UP_REQUESTS) continue;
    byAttack[request.label] ??= { sent: 0, refused: 0 };
    const counts = byAttack[request.label] as AttackCounts;
    counts.sent++;
    if (request.refused) counts.refused++;
  }
  return byAttack;
}

export function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(2)} %`;
}
