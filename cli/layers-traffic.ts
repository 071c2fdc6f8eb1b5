// Traffic of the `layers` experiment (seed 002), made by the simulator's faithful mode: calm days, attacks alone, and stretches
// with attacks among normal requests. What is learnt from and what is judged have different seeds, users and addresses.
// Makes requests as they are read and judges none. Called by the `experiment` command and by tests.
import {
  type AttackOptions,
  abnormalUsage,
  ddos,
  dos,
  extremeDelete,
  stolenToken,
} from '../simulator/faithful/attacks.ts';
import { abnormalUsageRealistic, stolenTokenRealistic } from '../simulator/faithful/attacks-realistic.ts';
import { type NormalOptions, normalTraffic } from '../simulator/faithful/normal.ts';
import { type FaithfulRequest, mergeByTime } from '../simulator/faithful/request.ts';
import { type FaithfulWorld, makeFaithfulWorld } from '../simulator/faithful/world.ts';
import type { LayersTraffic, TrafficSource } from '../training/experiments/layers.ts';

export interface LayersTrafficOptions {
  readonly seed: number;
  /** Hours of calm traffic for each purpose, above 24 h for the request models. */
  readonly trendHours?: number;
  readonly calmHours?: number;
  /** Stretches of 15 min for each attack. */
  readonly stretches?: number;
}

type Attack = (world: FaithfulWorld, options: AttackOptions) => Iterable<FaithfulRequest>;

const HOUR_MS = 3_600_000;
const ATTACK_MS = 900_000;
/** DOS and DDOS: of each API, so that a run stays short. */
const FLOOD_MS = 20_000;

const overwrite: Attack = (world, options) =>
  extremeDelete(world, { ...options, methods: ['DELETE', 'PUT'] });
const TREND_ATTACKS: readonly {
  readonly name: string;
  readonly attack: Attack;
  readonly lengthMs: number;
}[] = [
  { name: 'dos', attack: dos, lengthMs: FLOOD_MS },
  { name: 'ddos', attack: ddos, lengthMs: FLOOD_MS },
  { name: 'stolen_token', attack: stolenToken, lengthMs: ATTACK_MS },
  { name: 'extreme_delete', attack: extremeDelete, lengthMs: ATTACK_MS },
  { name: 'extreme_delete_put', attack: overwrite, lengthMs: ATTACK_MS },
  { name: 'abnormal_usage', attack: abnormalUsage, lengthMs: ATTACK_MS },
];

/** The tool starts all users at once; half an hour later they are out of step, as they would be at any other time. */
const SETTLE_MS = 1_800_000;

/** Normal traffic that has been going on before it is looked at. */
function* settled(world: FaithfulWorld, options: NormalOptions): Generator<FaithfulRequest> {
  const { startMs } = options;
  for (const request of normalTraffic(world, { ...options, startMs: startMs - SETTLE_MS })) {
    if (request.atMs >= startMs) yield request;
  }
}

interface StretchOptions extends AttackOptions {
  /** Of twenty users as many send normal traffic. */
  readonly sendersOfTwenty: number;
}

/** An attack with the normal traffic of others; people who misuse their own device send nothing else meanwhile. */
function stretch(world: FaithfulWorld, attack: Attack, options: StretchOptions): TrafficSource {
  return () => {
    const { seed, startMs, durationMs = ATTACK_MS, sendersOfTwenty } = options;
    const sent = [...attack(world, options)];
    const misusers = new Set(sent.filter(({ label }) => label === 'abnormal_usage').map(({ user }) => user));
    const silent = new Set(
      world.users
        .map(({ index }) => index)
        .filter((user) => misusers.has(user) || (user + seed / 10) % 20 >= sendersOfTwenty),
    );
    const endMs = Math.max(startMs + durationMs, (sent.at(-1)?.atMs ?? startMs) + 1);
    return mergeByTime([settled(world, { seed: seed + 1, startMs, endMs, silent }), sent]);
  };
}

interface StretchPlan extends Pick<StretchOptions, 'sendersOfTwenty'> {
  readonly attacks: readonly Attack[];
}

/** Traffic for runLayers; the same options give the same requests. */
export function layersTraffic(options: LayersTrafficOptions): LayersTraffic {
  const { seed, trendHours = 24, calmHours = 48, stretches = 6 } = options;
  const first = seed * 1_000_000;
  const learntWorld = makeFaithfulWorld(first + 1);
  const judgedWorld = makeFaithfulWorld(first + 2);
  const calm = (world: FaithfulWorld, ofSeed: number, hours: number): TrafficSource => {
    return () => settled(world, { seed: first + ofSeed, startMs: 0, endMs: hours * HOUR_MS });
  };
  const startMs = calmHours * HOUR_MS;
  const several = (world: FaithfulWorld, ofSeed: number, plan: StretchPlan) =>
    plan.attacks.flatMap((attack, a) =>
      Array.from({ length: stretches }, (_, s) =>
        stretch(world, attack, {
          seed: first + ofSeed + a * 1000 + s * 10,
          startMs,
          durationMs: ATTACK_MS,
          sendersOfTwenty: plan.sendersOfTwenty,
        }),
      ),
    );
  const bothOf = (ofSeed: number, attacks: readonly Attack[]) => ({
    stretches: several(judgedWorld, ofSeed, { attacks, sendersOfTwenty: 20 }),
    fewNormal: several(judgedWorld, ofSeed + 5000, { attacks, sendersOfTwenty: 1 }),
  });
  const tools = [stolenToken, abnormalUsage];
  return {
    trendCalm: calm(judgedWorld, 10, trendHours),
    trendCalmTest: calm(judgedWorld, 20, 24),
    trendAttacks: TREND_ATTACKS.map(({ name, attack, lengthMs }, a) => {
      const plan = { seed: first + 30 + a * 10, startMs: 0, durationMs: lengthMs };
      return {
        name,
        alone: () => attack(judgedWorld, plan),
        amongNormal: stretch(judgedWorld, attack, { ...plan, sendersOfTwenty: 20 }),
      };
    }),
    learnt: {
      calm: calm(learntWorld, 100, calmHours),
      stretches: several(learntWorld, 10_000, { attacks: tools, sendersOfTwenty: 20 }),
    },
    judged: { calm: calm(judgedWorld, 200, calmHours), ...bothOf(20_000, tools) },
    realistic: bothOf(30_000, [stolenTokenRealistic, abnormalUsageRealistic]),
  };
}
