// Runs one phase of the demo: sends its traffic, keeps what clients saw, feeds the view twice a second.
// Switches no mode and counts no events: cli/demo.ts does.

import { type Seen, sendAll } from '../../simulator/live.ts';
import { requestIdOf, type SimRequest } from '../../simulator/request.ts';
import type { LatencyProbe } from './added-latency.ts';
import { readStatus, type Stack } from './stack.ts';
import { countPhase } from './summary.ts';
import type { DemoView } from './view.ts';

const VIEW_EVERY_MS = 500;
const NO_FLAGS: ReadonlySet<string> = new Set();

export interface PhaseOptions {
  readonly stack: Stack;
  readonly speed: number;
  readonly probe: LatencyProbe;
  readonly view: DemoView;
  /** Wall time at which the demo began. */
  readonly startMs: number;
  readonly signal: AbortSignal;
}

interface StatusFigures {
  readonly mode: string;
  readonly verdicts_total: Readonly<Record<string, number>>;
}

function* sendables(requests: Iterable<SimRequest>) {
  for (const request of requests) yield { ...request, requestId: requestIdOf(request) };
}

/** Everything that clients saw in this phase. */
export async function runPhase(requests: Iterable<SimRequest>, options: PhaseOptions): Promise<Seen[]> {
  const seen: Seen[] = [];
  let lastCount = 0;
  let lastMs = performance.now();
  const draw = async (): Promise<void> => {
    const status = await readStatus<StatusFigures>(options.stack.admin);
    if (status === null) return;
    const nowMs = performance.now();
    const counts = countPhase(seen, NO_FLAGS);
    const added = options.probe.figures();
    options.view.show({
      mode: status.mode,
      elapsedSec: (Date.now() - options.startMs) / 1000,
      requestsPerSec: ((seen.length - lastCount) * 1000) / Math.max(nowMs - lastMs, 1),
      addedP50Ms: added.p50,
      addedP99Ms: added.p99,
      verdicts: status.verdicts_total,
      attacks: { sent: counts.attacks, refused: counts.attacks_refused },
      normal: { sent: counts.normal, refused: counts.normal_refused },
    });
    lastCount = seen.length;
    lastMs = nowMs;
  };
  const timer = setInterval(() => void draw(), VIEW_EVERY_MS);
  try {
    await sendAll(sendables(requests), {
      target: options.stack.sidecar,
      speed: options.speed,
      onSeen: (one) => seen.push(one),
      signal: options.signal,
    });
  } finally {
    clearInterval(timer);
  }
  return seen;
}
