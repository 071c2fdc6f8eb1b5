// What does each part of a request cost in the feature engine's kernels? Each alone, over few principals (all in cache) and over
// many in random order, best of many short rounds (others on the machine make the mean useless). What the calls from JavaScript
// and the drawing of a request cost is measured as "nothing" and not subtracted. Prints nanoseconds; `--json` prints one line of
// JSON last. Run: node bench/micro/profiles.ts

import { FEATURE_COUNT } from '../../domain/features.ts';
import { HeadView } from '../../domain/head-view.ts';
import { configureCrossing, crossingBytes } from '../../feature-engine/kernel/crossing-kernels.ts';
import { HEAD_MEMORY_BYTES, HeadMemory } from '../../feature-engine/kernel/head-memory.ts';
import { EngineMemory } from '../../feature-engine/kernel/memory.ts';
import {
  configureObjects,
  objectSizes,
  objectTableBytes,
} from '../../feature-engine/kernel/object-kernels.ts';
import { configureSession, sessionBytes } from '../../feature-engine/kernel/session-kernels.ts';
import * as P from '../../feature-engine/profile-layout.ts';
import * as X from '../../feature-engine/profile-places.ts';
import { mix32 } from '../../feature-engine/sketch.ts';
import { KernelCall } from '../../feature-engine/testing/kernel-call.ts';

const START_MS = 1_760_000_000_000;
const ROUNDS = 60;
const REQUESTS = 5000;
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** One call of a part for the profile at address `at`; `hash` is the request's randomness. */
type Part = (at: number, hash: number) => void;

/** A memory with `principals` profiles, all of which have begun. */
function newStand(principals: number) {
  const sizes = objectSizes(principals);
  const vectorBytes = (FEATURE_COUNT + 8) * 8;
  const shared = sessionBytes() + objectTableBytes(sizes) + crossingBytes() + HEAD_MEMORY_BYTES;
  const memory = new EngineMemory(shared + vectorBytes + principals * P.PROFILE_BYTES + 1024);
  const { kernels } = memory;
  const out = memory.take(vectorBytes);
  const profiles = memory.take(principals * P.PROFILE_BYTES);
  const places = { session: X.SESSION_PLACE, sequence: X.SEQUENCE_PLACE, encounters: X.ENCOUNTER_PLACE };
  configureSession(memory, places);
  configureObjects(memory, X.OBJECT_PLACE, sizes);
  configureCrossing(memory, X.CROSSING_PLACE);
  kernels.configureTravel(X.GEO_PLACE);
  const head = new HeadMemory(memory, {
    ...{ seed: 0, request: X.REQUEST_PLACE, lexical: X.LEXICAL_PLACE, body: X.BODY_PLACE },
  });
  for (let at = profiles; at < profiles + principals * P.PROFILE_BYTES; at += P.PROFILE_BYTES) {
    kernels.graphBegin(at + P.GRAPH_AT * 4, route(0), START_MS);
    kernels.sequenceBegin(at + P.SEQUENCE_AT * 4, route(0), START_MS);
  }
  const call = new KernelCall(memory);
  call.moveTo(START_MS);
  call.set({ ...{ route: route(1), agentFamily: 5, asn: 4, agent: 9, agentRoute: 8, pair: 6, subnet: 3 } });
  call.set({
    ...{ address: 11, credential: 12, principal: 13, object: 14, status: 200, method: 1, path: 2 },
  });
  return { memory, kernels, call, head, out, profiles, principals };
}

type Stand = ReturnType<typeof newStand>;

function route(n: number): number {
  return mix32((n & 7) + 1);
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

/** Parts that work on a principal's block. */
function profileParts({ memory, kernels, call, out }: Stand): Record<string, Part> {
  const { words } = memory;
  const [routeAt, pathAt, objectAt] = [call.word('route'), call.word('path'), call.word('object')];
  return {
    nothing: (at, hash) => {
      words[routeAt] = route(hash);
      kernels.mix32(at);
    },
    graph: (at, hash) => {
      words[routeAt] = route(hash);
      kernels.graphObserve(at + P.GRAPH_AT * 4, out);
    },
    sequence: (at, hash) => {
      words[routeAt] = route(hash);
      kernels.sequenceObserve(at + P.SEQUENCE_AT * 4, out);
    },
    'encounters, 5 paths': (at, hash) => {
      words[routeAt] = route(hash);
      words[pathAt] = 1 + ((hash >>> 8) % 5);
      kernels.encountersObserve(at + P.ENCOUNTERS_AT * 4, out);
    },
    'encounters, new paths': (at, hash) => {
      words[routeAt] = route(hash);
      words[pathAt] = hash | 1;
      kernels.encountersObserve(at + P.ENCOUNTERS_AT * 4, out);
    },
    'objects, 100 ids': (at, hash) => {
      words[routeAt] = route(hash & 3);
      words[pathAt] = 1 + ((hash >>> 8) % 100);
      words[objectAt] = 1 + ((hash >>> 8) % 100);
      kernels.observeObjects(at + P.OBJECTS_AT * 4, out);
    },
    travel: (at) => kernels.travelObserve(at + P.TRAVEL_AT * 4, out),
  };
}

/** Parts that work on what all share: addresses of one in 4 principals are one network's. */
function sharedParts({ memory, kernels, call, head, out }: Stand): Record<string, Part> {
  const { words } = memory;
  const [addressAt, subnetAt, identityAt] = [
    call.word('address'),
    call.word('subnet'),
    call.word('credential'),
  ];
  const be = (at: number, hash: number) => {
    words[addressAt] = mix32(at) | 1;
    words[subnetAt] = mix32(at >>> 14) | 1;
    words[identityAt] = hash;
  };
  const some = heads();
  return {
    'crossing read': (at, hash) => {
      be(at, hash);
      kernels.observeCrossing(out);
    },
    'crossing answer': (at, hash) => {
      be(at, hash);
      kernels.crossingAnswered();
    },
    'head, 100 targets': (_, hash) => {
      head.take(some[hash % 100] as HeadView);
      kernels.readHead(out);
    },
  };
}

/** Best nanoseconds per call. */
function best(part: Part, { call, profiles, principals }: Stand): number {
  let fewest = Number.POSITIVE_INFINITY;
  let n = 0;
  call.moveTo(START_MS);
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < REQUESTS; i++, n++) {
      if ((n & 255) === 0) call.moveTo(START_MS + n);
      const who = Math.floor((mix32(n) / 4294967296) * principals);
      part(profiles + who * P.PROFILE_BYTES, mix32(~n));
    }
    fewest = Math.min(fewest, Number(process.hrtime.bigint() - begin) / REQUESTS);
  }
  return Math.round(fewest);
}

function main(): void {
  const results: { part: string; few: number; many: number }[] = [];
  const [few, many] = [newStand(4), newStand(10_000)];
  const parts = (stand: Stand) => ({ ...profileParts(stand), ...sharedParts(stand) });
  const [fewParts, manyParts] = [parts(few), parts(many)];
  for (const part of Object.keys(fewParts))
    results.push({
      part,
      few: best(fewParts[part] as Part, few),
      many: best(manyParts[part] as Part, many),
    });
  for (const { part, few: a, many: b } of results)
    console.log(`${part.padEnd(22)} 4 principals ${a} ns, 10,000 principals ${b} ns`);
  if (process.argv.includes('--json')) console.log(JSON.stringify({ bench: 'profiles', results }));
}

main();
