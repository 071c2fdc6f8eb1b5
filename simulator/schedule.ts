// Merges the actors of a run into one stream of requests in time order, under a virtual clock: an open model.
// Each request is answered by the sample store at once, and the persona is told; nothing here waits or sends.

import { type Actor, headersOf, type SimRequest, type Step } from './request.ts';
import type { SampleStore } from './sample-store.ts';

interface Turn {
  readonly atMs: number;
  /** Ties go to the turn that was planned first, so a run is the same every time. */
  readonly order: number;
  readonly nth: number;
  readonly actor: Actor;
  readonly step: Step;
}

/** All requests of the actors, by time. Ends when every actor has ended. */
export function* schedule(actors: readonly Actor[], store: SampleStore): Generator<SimRequest> {
  const heap: Turn[] = [];
  let order = 0;
  const plan = (actor: Actor, from: { readonly atMs: number; readonly nth: number }, step: Step): void => {
    const atMs = from.atMs + step.afterMs;
    if (atMs < actor.endMs) push(heap, { atMs, order: order++, nth: from.nth + 1, actor, step });
  };
  for (const actor of actors) {
    const first = actor.persona.next();
    if (first.done !== true) plan(actor, { atMs: actor.startMs, nth: 0 }, first.value);
  }
  for (let turn = pop(heap); turn !== undefined; turn = pop(heap)) {
    const request = requestOf(turn, store);
    yield request;
    const next = turn.actor.persona.next(request.answer);
    if (next.done !== true) plan(turn.actor, turn, next.value);
  }
}

function requestOf(turn: Turn, store: SampleStore): SimRequest {
  const { step, actor } = turn;
  const { client, method, target } = step;
  const body = step.body ?? null;
  return {
    atMs: Math.floor(turn.atMs),
    label: actor.label,
    actor: actor.id,
    nth: turn.nth,
    method,
    target,
    headers: headersOf(step),
    body,
    address: client.address,
    token: client.token,
    cookie: client.cookie,
    answer: store.answer({
      method,
      target,
      token: client.token,
      body,
      conditional: step.conditional === true,
    }),
  };
}

function before(a: Turn, b: Turn): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Turn[], turn: Turn): void {
  let at = heap.length;
  heap.push(turn);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(turn, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = turn;
}

function pop(heap: Turn[]): Turn | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return top;
}
