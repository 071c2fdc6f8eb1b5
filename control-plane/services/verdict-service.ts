// VerdictService: stored events for operators and viewers, page by page; following goes on as events are stored.
// A reader that is slow waits for its own stream only.

import { setTimeout as delay } from 'node:timers/promises';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { PicketError } from '../../domain/errors.ts';
import { IDENTITY_KINDS } from '../../domain/identity.ts';
import type {
  ListVerdictsRequest,
  ListVerdictsResponse,
  VerdictServiceServer,
} from '../../proto/gen/picket/v1/verdict.ts';
import { verdictWords } from '../../proto/words.ts';
import type { Intake } from '../intake.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { logBug, statusOf, unary } from '../rpc.ts';
import type { EventQuery, EventStore, StoredVerdict } from '../store/store.ts';
import { bodyMessage, bucketMessage, verdictMessage } from '../views.ts';
import { drained } from './sidecar-service.ts';

type Call = ServerWritableStream<ListVerdictsRequest, ListVerdictsResponse>;

export interface VerdictServiceOptions {
  readonly events: EventStore;
  readonly intake: Intake;
  readonly log: Logger;
}

/** New events are looked for at most so often, however many batches come. */
const FOLLOW_MS = 50;
const NEWEST_MAX = 100_000;
const IDENTITY = new RegExp(`^(${IDENTITY_KINDS.join('|')}):[0-9a-f]{32}$`);

export function verdictService(options: VerdictServiceOptions): VerdictServiceServer {
  const { events, log } = options;
  let followers = 0;
  return {
    listVerdicts: (call) => {
      const { follow } = call.request;
      if (follow && followers >= CONTROL_LIMITS.followersMax) {
        call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many callers follow verdicts' });
        return;
      }
      followers += follow ? 1 : 0;
      list(call, options)
        .catch((thrown: unknown) => {
          if (call.cancelled) return;
          logBug(log, thrown, call.getPath());
          call.emit('error', statusOf(thrown));
        })
        .finally(() => {
          followers -= follow ? 1 : 0;
        });
    },
    getVerdict: unary(log, async ({ key }) => {
      const id = key?.$case === 'requestId' ? await newestOf(key.value, events) : (key?.value ?? 0);
      const found = await events.event(id);
      if (found === null) throw new PicketError('NOT_FOUND', 'no such event is stored (any more)');
      return { verdict: verdictMessage(found.verdict), body: bodyMessage(found.body) };
    }),
    listBuckets: unary(log, async ({ limit, workload, namespace, sinceMs }) => {
      const most = Math.min(limit === 0 ? CONTROL_LIMITS.pageBuckets : limit, CONTROL_LIMITS.pageBucketsMax);
      const buckets = await events.buckets({ limit: most, workload, namespace, sinceMs });
      return { buckets: buckets.map(bucketMessage) };
    }),
  };
}

/** Id of the newest event of a request id; 0 if there is none. */
async function newestOf(requestId: string, events: EventStore): Promise<number> {
  const query = { ...EVERYTHING, requestIds: [requestId], newest: true, limit: 1 };
  return (await collectNewest(query, events))[0]?.id ?? 0;
}

const EVERYTHING: EventQuery = {
  afterId: 0,
  limit: CONTROL_LIMITS.pageEventsMax,
  newest: false,
  beforeId: 0,
  verdicts: [],
  namespace: '',
  workload: '',
  requestIds: [],
  sinceMs: 0,
  identity: '',
};

function queryOf(request: ListVerdictsRequest): EventQuery {
  const { afterId, workload, namespace, requestIds, sinceMs, identity } = request;
  if (requestIds.length > CONTROL_LIMITS.requestIdsMax) {
    throw new PicketError('DATA_INVALID', `at most ${CONTROL_LIMITS.requestIdsMax} request ids in one call`);
  }
  if (identity !== '' && !IDENTITY.test(identity)) {
    throw new PicketError('DATA_INVALID', 'an identity is written kind:32 hex digits, as verdicts show it');
  }
  if (request.newest && request.limit === 0) throw new PicketError('DATA_INVALID', 'newest needs a limit');
  const verdicts = request.verdicts.map((code) => verdictWords.word(code));
  if (verdicts.includes(null)) throw new PicketError('DATA_INVALID', 'a verdict is allow, flag or block');
  const words = verdicts.filter((word) => word !== null);
  return { ...EVERYTHING, afterId, workload, namespace, requestIds, sinceMs, identity, verdicts: words };
}

async function list(call: Call, options: VerdictServiceOptions): Promise<void> {
  const { request } = call;
  const query = queryOf(request);
  const { newest, follow, limit } = request;
  const afterId = newest ? await sendNewest(call, query, options.events) : query.afterId;
  const left = newest || limit === 0 ? Number.POSITIVE_INFINITY : limit;
  if (follow) {
    const news = new News(call, options.intake);
    try {
      await sendFrom(call, { ...query, afterId }, { events: options.events, left, news });
    } finally {
      news.close();
    }
  } else if (!newest)
    await sendFrom(call, { ...query, afterId }, { events: options.events, left, news: null });
  call.end();
}

/** Sends the newest that match; gives the id to follow from. */
async function sendNewest(call: Call, query: EventQuery, events: EventStore): Promise<number> {
  const limit = Math.min(call.request.limit, NEWEST_MAX);
  const before = await lastId(events);
  const found = await collectNewest({ ...query, newest: true, limit }, events);
  const from = found.at(-1)?.id ?? before;
  for (let at = 0; at < found.length; at += CONTROL_LIMITS.pageEventsMax) {
    await send(call, found.slice(at, at + CONTROL_LIMITS.pageEventsMax), from);
  }
  return from;
}

interface SendOptions {
  readonly events: EventStore;
  readonly left: number;
  /** Null: stop at the end of what is stored. */
  readonly news: News | null;
}

/** Sends what matches after an id, page by page, and goes on with news if they are wanted. */
async function sendFrom(call: Call, query: EventQuery, { events, left, news }: SendOptions): Promise<void> {
  let wanted = left;
  let { afterId } = query;
  while (wanted > 0 && !call.cancelled) {
    // What is stored during the look counts as news: it may have come too late for the page.
    news?.forget();
    const limit = Math.min(wanted, CONTROL_LIMITS.pageEventsMax);
    const page = await events.page({ ...query, afterId, limit });
    const moved = page.nextId !== afterId;
    afterId = page.nextId;
    wanted -= page.events.length;
    if (page.events.length > 0 || (moved && page.done)) await send(call, page.events, afterId);
    if (!page.done) continue;
    if (news === null) return;
    await news.wait();
  }
}

/** The newest events that match, ascending, over as many pages as it takes. */
async function collectNewest(query: EventQuery, events: EventStore): Promise<StoredVerdict[]> {
  let found: StoredVerdict[] = [];
  let beforeId = 0;
  for (;;) {
    const limit = Math.min(query.limit - found.length, CONTROL_LIMITS.pageEventsMax);
    const page = await events.page({ ...query, beforeId, limit });
    found = [...page.events, ...found];
    if (page.done || found.length >= query.limit) return found;
    beforeId = page.nextId;
  }
}

/** Id of the newest event of all: where following begins when nothing matched yet. */
async function lastId(events: EventStore): Promise<number> {
  const page = await events.page({ ...EVERYTHING, newest: true, limit: 1 });
  return page.events.at(-1)?.id ?? 0;
}

async function send(call: Call, stored: readonly StoredVerdict[], lastIdSeen: number): Promise<void> {
  if (!call.write({ verdicts: stored.map(verdictMessage), lastId: lastIdSeen })) await drained(call);
}

/** Tells one follower that events were stored since it last forgot; many commits cost one look. */
class News {
  readonly #off: () => void;
  #came = false;
  #over = false;
  #wake: () => void = () => undefined;

  constructor(call: Call, intake: Intake) {
    this.#off = intake.onStored(() => {
      this.#came = true;
      this.#wake();
    });
    call.on('cancelled', () => {
      this.#over = true;
      this.#wake();
    });
    this.#over = call.cancelled;
  }

  forget(): void {
    this.#came = false;
  }

  /** Resolves when there is news, after a breath, or when the caller is gone. */
  async wait(): Promise<void> {
    if (!this.#came && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (!this.#over) await delay(FOLLOW_MS);
  }

  close(): void {
    this.#off();
  }
}
