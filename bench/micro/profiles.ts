// What does each part of a profile cost per request? Each alone, over few and over many identities, best of many short rounds
// (others on the machine make the mean useless). Prints nanoseconds; `--json` prints one line of JSON last.
// Run: node bench/micro/profiles.ts

import { HeadView } from '../../domain/head-view.ts';
import { agentFamily } from '../../feature-engine/agent-family.ts';
import type { Block } from '../../feature-engine/block.ts';
import { Buckets } from '../../feature-engine/buckets.ts';
import { Crossing } from '../../feature-engine/crossing.ts';
import { countEncounters, ENCOUNTER_WORDS } from '../../feature-engine/encounters.ts';
import { GRAPH_WORDS, graphFingerprint, SessionGraphs, writeGraph } from '../../feature-engine/graph.ts';
import { GraphRarity } from '../../feature-engine/graph-rarity.ts';
import { Lexical } from '../../feature-engine/lexical.ts';
import { ObjectId } from '../../feature-engine/object-id.ts';
import { OBJECT_WORDS, Objects } from '../../feature-engine/objects.ts';
import { SEQUENCE_WORDS, Sequence } from '../../feature-engine/sequence.ts';
import { mix32 } from '../../feature-engine/sketch.ts';
import { observeTravel, TRAVEL_WORDS } from '../../feature-engine/travel.ts';
import { Moment } from '../../feature-engine/windows.ts';

const START_MS = 1_760_000_000_000;
const ROUNDS = 60;
const REQUESTS = 5000;
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** One call of a part for identity `who`, the n-th in all. */
type Part = (who: number, n: number) => void;

const out = new Float64Array(64);
const moment = new Moment();
const route = (n: number) => mix32((n % 8) + 1);

function blocks(identities: number, words: number): Block {
  const memory = new ArrayBuffer(identities * words * 4);
  const views = { words: new Uint32Array(memory), floats: new Float32Array(memory) };
  return { ...views, doubles: new Float64Array(memory), at: 0 };
}

function heads(): HeadView[] {
  return Array.from({ length: 100 }, (_, i) => {
    const head = new HeadView(new Uint8Array(512));
    head.begin('GET', `/payment/1/order/${i}?page=2`);
    head.add('host', 'shop.example');
    head.userAgentField = head.add('user-agent', AGENT);
    head.add('accept', 'application/json');
    head.add('cookie', 'session=0123456789abcdef0123456789');
    return head;
  });
}

const head = (some: readonly HeadView[], n: number) => some[n % some.length] as HeadView;

function requestParts(): Record<string, Part> {
  const some = heads();
  const id = new ObjectId();
  const lexical = new Lexical();
  const buckets = new Buckets(START_MS);
  const hit = { method: 0, address: 1, identity: 2, path: 3, pathBytes: 9, agent: 5 };
  return {
    'object id': (_, n) => id.read(head(some, n), 0),
    lexical: (_, n) => lexical.write(head(some, n), out, 0),
    bucket: (who, n) => {
      hit.address = mix32(who) | 0;
      hit.path = mix32(n) | 0;
      buckets.moveTo(moment);
      buckets.request(hit);
    },
    'agent family': (_, n) => {
      const { bytes, ends } = head(some, n);
      out[0] = agentFamily(bytes, ends[2]!, ends[3]!);
    },
  };
}

function crossingParts(): Record<string, Part> {
  const crossing = new Crossing();
  const shared = {
    ...{ address: 1, subnet: 2, network: 3, agentRoute: 4 },
    ...{ identity: 5, login: 0, route: 6 },
  };
  const be = (who: number, n: number) => {
    shared.address = mix32(who) | 1;
    shared.subnet = mix32(who >>> 2) | 1;
    shared.identity = mix32(n) | 0;
  };
  return {
    'crossing read': (who, n) => {
      be(who, n);
      crossing.write(shared, moment, out, 0);
    },
    'crossing answer': (who, n) => {
      be(who, n);
      crossing.answered(shared, 200, moment);
    },
  };
}

function graphParts(identities: number): Record<string, Part> {
  const graphs = new SessionGraphs();
  const graph = blocks(identities, GRAPH_WORDS);
  const rarity = new GraphRarity();
  const order = blocks(identities, SEQUENCE_WORDS);
  const sequence = new Sequence();
  const orderCall = { route: 0, agentFamily: 5, asn: 4, nowMs: 0 };
  for (let who = 0; who < identities; who++) {
    graph.at = who * GRAPH_WORDS;
    graphs.begin(graph, route(0), START_MS);
  }
  return {
    graph: (who, n) => {
      graph.at = who * GRAPH_WORDS;
      graphs.call(graph, route(mix32(n)), moment);
      writeGraph(out, 0, graph);
    },
    rarity: (who, n) => {
      graph.at = who * GRAPH_WORDS;
      rarity.share(graphFingerprint(graph) ^ (n & 63), mix32(who) | 0, moment);
    },
    sequence: (who, n) => {
      order.at = who * SEQUENCE_WORDS;
      orderCall.route = route(mix32(n)) | 0;
      orderCall.nowMs = moment.nowMs;
      sequence.observe(order, orderCall, out, 0);
    },
  };
}

function habitParts(identities: number): Record<string, Part> {
  const things = blocks(identities, OBJECT_WORDS);
  const objects = new Objects();
  const id = new ObjectId();
  const some = heads();
  const travel = blocks(identities, TRAVEL_WORDS);
  const facts = { latitude: 1, longitude: 2, country: 3, asn: 4, subnet: 5, kind: 0 };
  const meetings = blocks(identities, ENCOUNTER_WORDS);
  const objectCall = { id, route: 0, path: 0, who: 0, moment };
  const encounter = { method: 0, agent: 9, route: 0, path: 0, moment };
  const trip = { facts, pair: 7, moment, stateAgeMs: 0 };
  return {
    'objects with id': (who, n) => {
      id.read(head(some, n), 0);
      things.at = who * OBJECT_WORDS;
      objectCall.route = route(mix32(n)) | 0;
      objectCall.path = n % 100;
      objectCall.who = who + 1;
      objects.observe(things, objectCall, out, 0);
    },
    travel: (who) => {
      travel.at = who * TRAVEL_WORDS;
      observeTravel(travel, trip, out, 0);
    },
    encounters: (who, n) => {
      meetings.at = who * ENCOUNTER_WORDS;
      encounter.route = route(mix32(n)) | 0;
      encounter.path = 1 + (n % 20);
      countEncounters(meetings, encounter, out, 0);
    },
  };
}

function parts(identities: number): Record<string, Part> {
  const own = { ...graphParts(identities), ...habitParts(identities) };
  return { ...own, ...requestParts(), ...crossingParts() };
}

/** Best nanoseconds per call. */
function best(part: Part, identities: number): number {
  let fewest = Number.POSITIVE_INFINITY;
  let n = 0;
  moment.set(START_MS);
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < REQUESTS; i++, n++) {
      if ((n & 255) === 0) moment.set(START_MS + n);
      part(Math.floor((mix32(n) / 4294967296) * identities), n);
    }
    fewest = Math.min(fewest, Number(process.hrtime.bigint() - begin) / REQUESTS);
  }
  return Math.round(fewest);
}

function main(): void {
  const results: { part: string; few: number; many: number }[] = [];
  const few = parts(4);
  const many = parts(10_000);
  for (const part of Object.keys(few))
    results.push({ part, few: best(few[part] as Part, 4), many: best(many[part] as Part, 10_000) });
  for (const { part, few: a, many: b } of results)
    console.log(`${part.padEnd(14)} 4 identities ${a} ns, 10,000 identities ${b} ns`);
  if (process.argv.includes('--json')) console.log(JSON.stringify({ bench: 'profiles', results }));
}

main();
