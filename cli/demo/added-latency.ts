// What Picket adds to a request, as a client sees it: pairs of the same GET, straight to the API and through the sidecar,
// in turn, over kept connections; a pair counts if both got the same status. The difference of the medians (and of the 99 %
// quantiles) is the added latency.

import { Client } from 'undici';

export interface AddedLatency {
  readonly p50: number;
  readonly p99: number;
}

interface Answered {
  readonly status: number;
  readonly tookMs: number;
}

const GAP_MS = 40;
const PROBE_CALLERS = 512;

function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Milliseconds to three decimals; below zero is noise and reported as it is. */
function difference(through: readonly number[], direct: readonly number[], q: number): number {
  return Math.round((quantile(through, q) - quantile(direct, q)) * 1000) / 1000;
}

/** Many quiet callers, so that the probe itself is no anomaly. */
function probeHeaders(pair: number): Record<string, string> {
  const caller = pair % PROBE_CALLERS;
  return {
    authorization: `Bearer latency-probe-${caller}`,
    'user-agent': 'picket-latency-probe',
    'x-forwarded-for': `10.77.${caller >> 6}.${1 + (caller & 63)}`,
  };
}

export class LatencyProbe {
  readonly #direct: Client;
  readonly #through: Client;
  readonly #directMs: number[] = [];
  readonly #throughMs: number[] = [];
  #running: Promise<void> | null = null;
  #stop = false;
  readonly #path: string;
  #pairs = 0;
  #stopped: Promise<AddedLatency> | null = null;

  constructor(options: { upstream: string; sidecar: string; path: string }) {
    this.#direct = new Client(options.upstream, { pipelining: 1 });
    this.#through = new Client(options.sidecar, { pipelining: 1 });
    this.#path = options.path;
  }

  start(): void {
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stop) {
      const headers = probeHeaders(this.#pairs++);
      const direct = await this.#once(this.#direct, headers);
      const through = await this.#once(this.#through, headers);
      if (direct !== null && through !== null && direct.status === through.status) {
        this.#directMs.push(direct.tookMs);
        this.#throughMs.push(through.tookMs);
      }
      await new Promise((resolve) => setTimeout(resolve, GAP_MS));
    }
  }

  async #once(client: Client, headers: Record<string, string>): Promise<Answered | null> {
    const start = performance.now();
    try {
      const answer = await client.request({ method: 'GET', path: this.#path, headers });
      await answer.body.dump();
      return { status: answer.statusCode, tookMs: performance.now() - start };
    } catch {
      return null;
    }
  }

  /** Figures so far, over all pairs that count; NaN while there are none. */
  figures(): AddedLatency {
    const direct = this.#directMs.toSorted((a, b) => a - b);
    const through = this.#throughMs.toSorted((a, b) => a - b);
    return { p50: difference(through, direct, 0.5), p99: difference(through, direct, 0.99) };
  }

  /** Ends the probing; asked again, it gives the same figures. */
  stop(): Promise<AddedLatency> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<AddedLatency> {
    this.#stop = true;
    await this.#running;
    await Promise.all([this.#direct.close(), this.#through.close()]);
    return this.figures();
  }
}
