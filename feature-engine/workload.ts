// The features that need no profile of the identity: what crosses identities, the workload's bucket, the lexicals of the head.
// Puts their parts together for the engine: read and count at the request, count at the answer.

import type { HeadView } from '../domain/head-view.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ClosedBucket } from './bucket.ts';
import { Buckets } from './buckets.ts';
import { Crossing } from './crossing.ts';
import { Lexical } from './lexical.ts';
import { BUCKET_PLACE, CROSSING_PLACE, LEXICAL_PLACE } from './profile-places.ts';
import type { ProfileCall } from './profiles.ts';
import { mix32 } from './sketch.ts';
import { type Asked, newAsked } from './traces.ts';
import type { Moment } from './windows.ts';

/** Who asks: 32-bit hashes as signed numbers. */
export interface Asker {
  identity: number;
  address: number;
  /** Keyed hash of the login name, 0 without one. */
  login: number;
}

export class Workload {
  /** Of the last observed request, for its trace. */
  readonly asked: Asked = newAsked();
  readonly #moment: Moment;
  readonly #crossing = new Crossing();
  readonly #buckets: Buckets;
  readonly #lexical = new Lexical();
  readonly #hit = { method: 0, address: 0, identity: 0, path: 0, pathBytes: 0, agent: 0 };

  /** @param moment the engine's, which moves with the requests. */
  constructor(moment: Moment, onBucket?: (bucket: ClosedBucket) => void) {
    this.#moment = moment;
    this.#buckets = new Buckets(moment.nowMs, onBucket);
  }

  get bytes(): number {
    return this.#crossing.bytes + this.#buckets.bytes + this.#lexical.bytes;
  }

  /** Counts the request and writes its crossing, bucket and lexical features. */
  observe(head: HeadView, who: Asker, call: ProfileCall, out: Float64Array): void {
    const { asked } = this;
    asked.identity = who.identity;
    asked.address = who.address;
    asked.login = who.login;
    asked.subnet = call.facts.subnet;
    asked.network = call.facts.asn;
    asked.route = call.route;
    asked.agentRoute =
      call.agent === 0 ? 0 : (mix32(call.agent ^ Math.imul(call.route, 0x9e3779b1)) || 1) | 0;
    asked.withId = call.objectId.hash !== 0;
    this.#crossing.write(asked, this.#moment, out, CROSSING_PLACE);
    const hit = this.#hit;
    hit.method = head.method;
    hit.address = who.address;
    hit.identity = who.identity;
    hit.path = call.path;
    hit.pathBytes = head.pathEnd - head.targetStart;
    hit.agent = call.agent;
    const buckets = this.#buckets;
    buckets.moveTo(this.#moment);
    buckets.request(hit);
    for (let i = 0; i < buckets.ratios.length; i++) out[BUCKET_PLACE + i] = buckets.ratios[i]!;
    this.#lexical.write(head, out, LEXICAL_PLACE);
  }

  /** Closes the bucket if its time is over by the engine's clock, though nothing came. */
  idle(): void {
    this.#buckets.moveTo(this.#moment);
  }

  /** Counts the origin's answer; `asked` is null if the request's trace is lost. */
  answered(asked: Asked | null, outcome: Outcome): void {
    this.#buckets.moveTo(this.#moment);
    this.#buckets.answer(outcome.status, outcome.bytesIn + outcome.bytesOut);
    if (asked !== null) this.#crossing.answered(asked, outcome.status, this.#moment);
  }
}
