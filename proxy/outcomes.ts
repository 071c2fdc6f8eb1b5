// What came of a judged request, brought back into counters, rows and its event. Only an origin's answer feeds the rows; the
// event learns of our own answers too. Called by front.ts, once a request.

import type { Clock } from '../domain/clock.ts';
import type { FeatureEngine } from '../feature-engine/engine.ts';
import { COUNTER, type Counters, statusClassPlace } from './counters.ts';
import type { OutcomeDraft } from './event-record.ts';
import type { EventWriter } from './event-writer.ts';
import type { Pipeline } from './pipeline.ts';
import type { Transit } from './transit.ts';

export interface OutcomesOptions {
  readonly engine: FeatureEngine;
  readonly events: EventWriter;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly pipeline: Pipeline;
}

export class Outcomes {
  readonly #options: OutcomesOptions;
  /** One object each for all requests. */
  readonly #outcome = { status: 0, latencyMs: 0, bytesIn: 0, bytesOut: 0, atMs: 0 };
  readonly #draft: OutcomeDraft = { status: 0, latencyMs: 0, bytesIn: 0, bytesOut: 0, refusal: null };

  constructor(options: OutcomesOptions) {
    this.#options = options;
  }

  bringBack(transit: Transit): void {
    const { engine, events, clock, counters, pipeline } = this.#options;
    const latencyMs = performance.now() - transit.acceptedMs;
    const { upstreamStatus, bytesIn } = transit;
    const bytesOut = upstreamStatus === 0 ? 0 : transit.bytesOut;
    if (upstreamStatus !== 0) {
      const outcome = this.#outcome;
      outcome.status = upstreamStatus;
      outcome.latencyMs = latencyMs;
      outcome.bytesIn = bytesIn;
      outcome.bytesOut = bytesOut;
      outcome.atMs = clock.nowMs();
      engine.outcome(transit.identityHandle, transit.addressHandle, outcome, transit.featureTrace);
      pipeline.answered(transit);
      counters.add(COUNTER.outcomes);
    }
    counters.add(statusClassPlace(transit.status));
    counters.add(COUNTER.bytesIn, bytesIn);
    counters.add(COUNTER.bytesOut, bytesOut);
    const draft = this.#draft;
    draft.status = transit.status;
    draft.latencyMs = latencyMs;
    draft.bytesIn = bytesIn;
    draft.bytesOut = bytesOut;
    draft.refusal = transit.refusal;
    events.complete(transit.eventHandle, draft);
  }
}
