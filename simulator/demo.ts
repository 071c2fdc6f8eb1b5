// The story of `npm start`: one crowd of normal users and visitors that goes on, two phases, three fresh attackers of each kind
// in each phase. Settings only; cli/demo.ts sends it and switches the mode in between.

import { seededRandom } from '../domain/random.ts';
import { attacker } from './attackers.ts';
import type { Actor, AttackName, SimRequest } from './request.ts';
import { SampleStore } from './sample-store.ts';
import { crowd, type Span } from './scenario.ts';
import { schedule } from './schedule.ts';
import { makeWorld } from './world.ts';

export const DEMO_ATTACKS = [
  'dos',
  'stolen_token',
  'extreme_delete',
] as const satisfies readonly AttackName[];

export interface DemoOptions {
  readonly seed: number;
  /** Wall-clock length of each phase, seconds. */
  readonly phaseSeconds?: number;
  /** Simulated seconds per wall-clock second; give the sidecar the same --clock-rate. */
  readonly speed?: number;
}

export interface DemoPhase {
  readonly name: 'monitor' | 'block';
  /** The requests of this phase, by time. Take the phases in order: they come from one stream. */
  readonly requests: Iterable<SimRequest>;
}

export interface DemoScenario {
  readonly speed: number;
  readonly phaseSeconds: number;
  readonly phases: readonly DemoPhase[];
}

const SPEED = 20;
const PHASE_SECONDS = 13;
const USERS = 160;
const VISITS_PER_SEC = 0.12;
const PHASES = ['monitor', 'block'] as const;
/** Per attacker: most requests, and simulated requests per second where the attack has a rate of its own. */
const VOLUMES = {
  dos: { attackers: 1, requestsMax: 700, ratePerSec: 12 },
  stolen_token: { attackers: 3, requestsMax: 150 },
  extreme_delete: { attackers: 2, requestsMax: 250, ratePerSec: 3.3 },
} as const;

export function demoScenario(options: DemoOptions): DemoScenario {
  const speed = options.speed ?? SPEED;
  const phaseSeconds = options.phaseSeconds ?? PHASE_SECONDS;
  const phaseMs = phaseSeconds * speed * 1000;
  const random = seededRandom(options.seed);
  const startMs = Date.UTC(2025, 0, 6, 10);
  const span = { startMs, endMs: startMs + PHASES.length * phaseMs };
  const world = makeWorld({ random: random.fork(1), users: USERS, flavour: 'realistic', startMs });
  const attackers = PHASES.flatMap((_, phase) => {
    const begin = startMs + phase * phaseMs;
    return demoAttackers({ startMs: begin, endMs: begin + phaseMs }, options.seed, phase);
  });
  const actors = [
    ...crowd(world, { random: random.fork(2), span, visitsPerSec: VISITS_PER_SEC }),
    ...attackers,
  ];
  const stream = schedule(actors, new SampleStore({ random: random.fork(3) }));
  const cut = cutAt(stream);
  return {
    speed,
    phaseSeconds,
    phases: PHASES.map((name, phase) => ({ name, requests: cut(startMs + (phase + 1) * phaseMs) })),
  };
}

function demoAttackers(span: Span, seed: number, phase: number): Actor[] {
  const random = seededRandom(seed).fork(50 + phase);
  const { startMs } = span;
  const accounts = makeWorld({
    random: random.fork(1),
    users: 50,
    flavour: 'realistic',
    startMs,
    firstUser: 1000 + 100 * phase,
  });
  const victims = makeWorld({
    random: random.fork(2),
    users: 20,
    flavour: 'realistic',
    startMs,
    firstUser: 500 + 100 * phase,
  });
  const lengthMs = span.endMs - startMs;
  return DEMO_ATTACKS.flatMap((name, kind) => {
    const { attackers, ...volume } = VOLUMES[name];
    return Array.from({ length: attackers }, (_, i) =>
      attacker(
        {
          name,
          id: `${name}_${phase}_${i}`,
          startMs: startMs + Math.floor(lengthMs * (0.08 + 0.06 * kind + 0.02 * i)),
          endMs: span.endMs,
          flavour: 'faithful',
          ...volume,
        },
        { world: victims, accounts, random: random.fork(10 * kind + i + 5) },
      ),
    );
  });
}

/** Hands out one stream in pieces: each call's iterable ends before the first request at or after its time. */
function cutAt(stream: Iterator<SimRequest>): (endMs: number) => Iterable<SimRequest> {
  let kept: SimRequest | null = null;
  return function* (endMs) {
    for (;;) {
      const request: SimRequest | null = kept ?? next(stream);
      kept = null;
      if (request === null) return;
      if (request.atMs >= endMs) {
        kept = request;
        return;
      }
      yield request;
    }
  };
}

function next(stream: Iterator<SimRequest>): SimRequest | null {
  const { value, done } = stream.next();
  return done === true ? null : value;
}
