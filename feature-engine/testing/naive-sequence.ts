// Order and rarity in plain lists: counts of steps, routes, agents, networks and answers counted anew each time.
// The oracle of sequence.test.ts and of the whole engine's test; nothing else calls it.

/** -log2((count + 1/2) / (total + 1)). */
export const surpriseOf = (count: number, total: number) =>
  Math.max(Math.log2(total + 1) - Math.log2(count + 0.5), 0);

const TIMEOUT_MS = 1_800_000;

export interface Call {
  readonly who: number;
  readonly route: number;
  readonly agentFamily: number;
  readonly asn: number;
  readonly nowMs: number;
}

function gapVariation(gaps: readonly number[]): number {
  let [mean, deviation] = [gaps[0] ?? 0, 0];
  gaps.slice(1).forEach((gap, i) => {
    const distance = Math.abs(gap - mean);
    deviation = Math.fround(i === 0 ? distance : deviation + (distance - deviation) / 8);
    mean = Math.fround(mean + (gap - mean) / 8);
  });
  return gaps.length < 2 ? Number.NaN : mean === 0 ? 0 : deviation / mean;
}

export class NaiveSequence {
  readonly #calls: Call[] = [];
  readonly #steps: { from: number; to: number; who: number; bits: number; gapMs: number }[] = [];
  readonly #answers: { key: string; who: number; bits: number }[] = [];

  begin(call: Call): void {
    this.#calls.push(call);
  }

  observe(call: Call): number[] {
    const mine = this.#calls.filter((old) => old.who === call.who);
    const last = mine.at(-1) as Call;
    let step = Number.NaN;
    if (call.nowMs - last.nowMs <= TIMEOUT_MS) {
      const from = this.#steps.filter((s) => s.from === last.route);
      step = Math.fround(surpriseOf(from.filter((s) => s.to === call.route).length, from.length));
      this.#steps.push({
        from: last.route,
        to: call.route,
        who: call.who,
        bits: step,
        gapMs: call.nowMs - last.nowMs,
      });
    }
    const ring = this.#steps.filter((s) => s.who === call.who).slice(-16);
    const bits = ring.map((s) => s.bits);
    const gaps = this.#steps.filter((s) => s.who === call.who).map((s) => s.gapMs);
    const hour = (c: Call) => Math.floor(c.nowMs / 3_600_000) % 24;
    const sameHour = mine.filter((old) => hour(old) === hour(call)).length;
    let share = 0;
    const routes = new Set<number>();
    for (const { route } of [...mine, call]) {
      share = Math.fround(share + ((routes.has(route) ? 0 : 1) - share) / 16);
      routes.add(route);
    }
    const rarities = this.#rarities(call);
    this.#calls.push(call);
    return [
      step,
      bits.length === 0 ? Number.NaN : bits.reduce((a, b) => a + b, 0) / bits.length,
      bits.length === 0 ? Number.NaN : Math.max(...bits),
      this.#answers.findLast((a) => a.who === call.who)?.bits ?? Number.NaN,
      ...rarities,
      surpriseOf(sameHour, mine.length + 11),
      share,
      gapVariation(gaps),
    ].map(Math.fround);
  }

  /** A call of a principal without a profile: what the workload says of it. */
  first(call: Call): number[] {
    const none = Number.NaN;
    const features = [none, none, none, none, ...this.#rarities(call), none, none, none];
    this.#calls.push(call);
    return features.map(Math.fround);
  }

  #rarities(call: Call): number[] {
    const seen = this.#calls.filter((c) => !this.firsts.has(c));
    return (['route', 'agentFamily', 'asn'] as const).map((key) => {
      if (key !== 'route' && call[key] === 0) return Number.NaN;
      const counted = seen.filter((c) => key === 'route' || c[key] !== 0);
      return surpriseOf(counted.filter((c) => c[key] === call[key]).length, counted.length);
    });
  }

  /** First calls: no feature saw them. */
  readonly firsts = new Set<Call>();

  answered({ who, route }: Call, status: number): void {
    const key = `${route} ${status}`;
    const bits = surpriseOf(this.#answers.filter((a) => a.key === key).length, this.#answers.length);
    this.#answers.push({ key, who, bits });
  }
}
