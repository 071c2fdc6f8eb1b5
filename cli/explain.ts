// Why the identities with the highest scores of an offline replay got them. Keeps their worst request each, and a sample of all
// requests for what is ordinary in this log. Bounded: N identities, SAMPLES vectors. Used by `picket replay --explain`.
//
// The reasons of a request: starting from the ordinary one (each feature at its median over a sample of what was not flagged,
// missing if it mostly is), the feature whose value here raises the margin most is put in, then the next, and so on. The gains
// depend on this order and are no exact attribution; what they leave is shown.

import { FEATURE_COUNT, FEATURES, placeOf } from '../domain/features.ts';
import { scoreOf } from '../domain/policy.ts';
import { seededRandom } from '../domain/random.ts';
import { SIGNALS, signalBits } from '../domain/signal.ts';
import type { LogRequest } from '../simulator/access-log.ts';

const SAMPLES = 2_000;
const REASONS_MAX = 6;
/** Smaller gains of the margin are no reasons. */
const GAIN_MIN = 0.05;
/** The age of the state is the time since the log began: it says nothing of an identity. */
const NEVER_A_REASON: ReadonlySet<number> = new Set([placeOf('state_age_s')]);

export interface Reason {
  readonly feature: string;
  readonly unit: string;
  readonly meaning: string;
  /** Null = missing. */
  readonly value: number | null;
  /** Median over what was not flagged. */
  readonly ordinary: number | null;
  /** Rise of the raw margin. */
  readonly gain: number;
}

export interface Explained {
  readonly identity: string;
  readonly score: number;
  readonly margin: number;
  /** Raw margin of the ordinary request. */
  readonly ordinary_margin: number;
  /** The request with the highest score. */
  readonly request: {
    readonly time: string;
    readonly method: string;
    readonly path: string;
    readonly status: number;
  };
  readonly signals: readonly string[];
  readonly reasons: readonly Reason[];
  /** What the reasons leave of the margin above the ordinary one. */
  readonly rest: number;
}

export interface JudgedRequest {
  readonly line: LogRequest;
  readonly vector: Float64Array;
  readonly flagged: boolean;
}

interface Worst {
  margin: number;
  line: LogRequest;
  readonly vector: Float64Array;
}

/** What explaining needs of a model. */
export interface MarginModel {
  /** Vector places that the model reads. */
  readonly places: readonly number[];
  marginOf(features: Float64Array): number;
}

export class Explainer {
  readonly #max: number;
  readonly #worst = new Map<string, Worst>();
  readonly #samples: Float32Array[] = [];
  readonly #random = seededRandom(0x5a3e);
  #seen = 0;
  /** Lowest margin in a full table: what is below it cannot enter. */
  #least = -Infinity;

  constructor(max: number) {
    this.#max = max;
  }

  /** One judged request. `vector` is copied where it is kept. */
  add(identity: string, margin: number, request: JudgedRequest): void {
    if (!request.flagged) this.#sample(request.vector);
    const known = this.#worst.get(identity);
    if (known !== undefined) {
      if (margin > known.margin) this.#put(identity, known, { margin, ...request });
      return;
    }
    const full = this.#worst.size >= this.#max;
    if (full && !(margin > this.#least)) return;
    if (full) this.#worst.delete(this.#leastKey());
    const worst = { margin, line: request.line, vector: new Float64Array(FEATURE_COUNT) };
    this.#worst.set(identity, worst);
    this.#put(identity, worst, { margin, ...request });
  }

  /** Highest score first. */
  explain(model: MarginModel): Explained[] {
    const ordinary = this.#medians();
    const ordinaryMargin = model.marginOf(ordinary);
    return [...this.#worst]
      .sort(([, a], [, b]) => b.margin - a.margin)
      .map(([identity, { margin, line, vector }]) => {
        const reasons = reasonsOf(vector, ordinary, model);
        const gained = reasons.reduce((sum, { gain }) => sum + gain, 0);
        const bits = signalBits(vector);
        return {
          identity,
          score: scoreOf(margin),
          margin,
          ordinary_margin: ordinaryMargin,
          request: requestOf(line),
          signals: SIGNALS.filter((_, i) => ((bits >>> i) & 1) === 1).map(({ meaning }) => meaning),
          reasons,
          rest: margin - ordinaryMargin - gained,
        };
      });
  }

  #put(
    identity: string,
    worst: Worst,
    found: { margin: number; line: LogRequest; vector: Float64Array },
  ): void {
    worst.margin = found.margin;
    worst.line = found.line;
    worst.vector.set(found.vector.subarray(0, FEATURE_COUNT));
    if (this.#worst.size >= this.#max) this.#least = this.#worst.get(this.#leastKey())!.margin;
    this.#worst.set(identity, worst);
  }

  #leastKey(): string {
    let least = '';
    let margin = Infinity;
    for (const [identity, worst] of this.#worst) {
      if (worst.margin > margin) continue;
      margin = worst.margin;
      least = identity;
    }
    return least;
  }

  /** Each request has the same chance to be in the sample (Vitter 1985, algorithm R). */
  #sample(vector: Float64Array): void {
    this.#seen++;
    const at = this.#seen <= SAMPLES ? this.#seen - 1 : Math.floor(this.#random.next() * this.#seen);
    if (at < SAMPLES) this.#samples[at] = Float32Array.from(vector.subarray(0, FEATURE_COUNT));
  }

  /** Per feature the median of the sample, missing above every value: missing if it mostly is. */
  #medians(): Float64Array {
    const out = new Float64Array(FEATURE_COUNT);
    for (let place = 0; place < FEATURE_COUNT; place++) {
      // A typed array sorts NaN last.
      const values = Float32Array.from(this.#samples, (sample) => sample[place]!).sort();
      out[place] = values[values.length >>> 1] ?? Number.NaN;
    }
    return out;
  }
}

function reasonsOf(vector: Float64Array, ordinary: Float64Array, model: MarginModel): Reason[] {
  const mixed = ordinary.slice();
  const open = new Set(model.places.filter((place) => place < FEATURE_COUNT && !NEVER_A_REASON.has(place)));
  for (const place of open) if (Object.is(mixed[place], vector[place])) open.delete(place);
  for (const place of NEVER_A_REASON) mixed[place] = vector[place]!;
  const reasons: Reason[] = [];
  let margin = model.marginOf(mixed);
  while (reasons.length < REASONS_MAX && open.size > 0) {
    let best = -1;
    let bestMargin = margin + GAIN_MIN;
    for (const place of open) {
      const kept = mixed[place]!;
      mixed[place] = vector[place]!;
      const tried = model.marginOf(mixed);
      mixed[place] = kept;
      if (tried <= bestMargin) continue;
      best = place;
      bestMargin = tried;
    }
    if (best < 0) break;
    const { name, unit, meaning } = FEATURES[best]!;
    const [value, usual] = [present(vector[best]!), present(ordinary[best]!)];
    reasons.push({ feature: name, unit, meaning, value, ordinary: usual, gain: bestMargin - margin });
    mixed[best] = vector[best]!;
    margin = bestMargin;
    open.delete(best);
  }
  return reasons;
}

function present(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function requestOf(line: LogRequest): Explained['request'] {
  const query = line.target.indexOf('?');
  const path = query < 0 ? line.target : line.target.slice(0, query);
  return { time: new Date(line.atMs).toISOString(), method: line.method, path, status: line.status };
}
