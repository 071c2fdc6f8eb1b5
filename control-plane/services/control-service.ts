// ControlService: mode, policy and fleet for operators. Reads requests, shapes answers.
// What a change means is decided by the policy book.

import type { ServerWritableStream } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Clock } from '../../domain/clock.ts';
import { PicketError } from '../../domain/errors.ts';
import type { Mode } from '../../domain/verdict.ts';
import type {
  ControlServiceServer,
  Scope as ScopeMessage,
  WatchFleetRequest,
  WatchFleetResponse,
} from '../../proto/gen/picket/v1/control.ts';
import { modeSourceWords, modeWords } from '../../proto/words.ts';
import type { Caller } from '../auth.ts';
import type { Fleet } from '../fleet.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import type { PolicyBook } from '../policy-book.ts';
import type { Publisher } from '../publish.ts';
import { unary } from '../rpc.ts';
import { modeOf, routeModes } from '../set-mode.ts';
import { FLEET, type Scope } from '../snapshot.ts';
import type { ControlPlaneStatus } from '../status.ts';
import { ackMessage, policyVersionMessage, sidecarMessage } from '../views.ts';

export interface ControlServiceOptions {
  readonly book: PolicyBook;
  readonly publisher: Publisher;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly status: () => Promise<ControlPlaneStatus>;
}

/** Who did it, for the history: what the caller says of itself, and the fingerprint of its token. */
export function actorOf(claimed: string, caller: Caller): string {
  // Control characters could dress up as other lines of the history.
  const name =
    claimed
      .replace(/\p{Cc}/gu, '')
      .trim()
      .slice(0, CONTROL_LIMITS.actorMaxChars) || caller.role;
  return caller.token === '' ? name : `${name} (token ${caller.token})`;
}

/** How long an operator's call waits for acks. */
export function ackWaitMs(asked: number | undefined): number {
  return Math.min(asked ?? CONTROL_LIMITS.ackWaitDefaultMs, CONTROL_LIMITS.ackWaitMaxMs);
}

const NAME_MAX_CHARS = 253;
const ROUTE_MAX_CHARS = 1024;

function scopeOf(message: ScopeMessage | undefined): Scope {
  const scope = message ?? FLEET;
  const { namespace, workload, route } = scope;
  if (
    namespace.length > NAME_MAX_CHARS ||
    workload.length > NAME_MAX_CHARS ||
    route.length > ROUTE_MAX_CHARS
  ) {
    throw new PicketError('DATA_INVALID', 'a name in the scope is too long');
  }
  if (route !== '' && workload === '') {
    throw new PicketError('DATA_INVALID', 'a route needs its workload', {
      hint: 'give --workload W beside --route',
    });
  }
  return { namespace, workload, route };
}

function modeWord(code: number): Mode {
  const mode = modeWords.word(code);
  if (mode === null) throw new PicketError('DATA_INVALID', 'the mode is neither monitor nor block');
  return mode;
}

const pageSize = (asked: number) => (asked === 0 ? 50 : Math.min(asked, 1000));

export function controlService(options: ControlServiceOptions): ControlServiceServer {
  const { book, publisher, clock, log } = options;
  return {
    ...policyMethods(options),
    setMode: unary(log, async (request, caller) => {
      const startMs = performance.now();
      const scope = scopeOf(request.scope);
      const change = { mode: modeWord(request.mode), untilMs: request.untilMs, nowMs: clock.nowMs() };
      if (change.untilMs !== 0 && !(change.untilMs > change.nowMs && change.untilMs < 253_402_300_800_000)) {
        throw new PicketError('DATA_INVALID', 'until_ms must be a time to come');
      }
      const actor = actorOf(request.actor, caller);
      const { expectedVersion } = request;
      const { version, previousVersion, changed } = await book.setMode(scope, change, {
        actor,
        expectedVersion,
      });
      const acks = await publisher.acks('policy', scope, ackWaitMs(request.waitMs));
      const elapsedMs = Math.round(performance.now() - startMs);
      const mode = change.mode;
      log.info({ actor, mode, scope, version, changed, sidecars: acks.length, elapsedMs }, 'mode set');
      return { policyVersion: version, previousVersion, acks: acks.map(ackMessage), elapsedMs };
    }),
    getMode: unary(log, async (request) => {
      const scope = scopeOf(request.scope);
      const { document, policy } = publisher.snapshot;
      const { mode, modeSource } = modeOf(document, scope, clock.nowMs());
      const routes =
        scope.workload === '' || scope.route !== '' ? [] : routeModes(document, scope, clock.nowMs());
      return {
        mode: modeWords.code(mode),
        modeSource: modeSourceWords.code(modeSource),
        policyVersion: policy.version,
        routes: [...routes].map(([route, of]) => ({
          route,
          mode: modeWords.code(of.mode),
          modeSource: modeSourceWords.code(of.modeSource),
        })),
      };
    }),
    getStatus: unary(log, async () => {
      const { sidecars, verdicts, ...rest } = await options.status();
      return {
        ...rest,
        sidecars: sidecars.slice(0, CONTROL_LIMITS.statusSidecarsMax).map(sidecarMessage),
        sidecarsConnected: sidecars.length,
        verdicts: Object.entries(verdicts).map(([name, value]) => ({ name, value })),
      };
    }),
    watchFleet: (call) => watchFleet(call, options.fleet),
  };
}

function policyMethods(options: ControlServiceOptions) {
  const { book, publisher, log } = options;
  const methods: Pick<ControlServiceServer, 'getPolicy' | 'applyPolicy' | 'listPolicyVersions'> = {
    getPolicy: unary(log, async (request) => {
      const record = await book.get(request.version);
      return { version: policyVersionMessage(record), document: record.document };
    }),
    applyPolicy: unary(log, async (request, caller) => {
      const startMs = performance.now();
      const actor = actorOf(request.actor, caller);
      const { expectedVersion } = request;
      const { version, previousVersion, changed } = await book.apply(request.document, {
        actor,
        expectedVersion,
      });
      const acks = await publisher.acks('policy', FLEET, ackWaitMs(request.waitMs));
      const elapsedMs = Math.round(performance.now() - startMs);
      log.info({ actor, version, changed, sidecars: acks.length, elapsedMs }, 'policy applied');
      return { policyVersion: version, previousVersion, changed, acks: acks.map(ackMessage), elapsedMs };
    }),
    listPolicyVersions: unary(log, async (request) => {
      const records = await book.list(pageSize(request.limit), request.beforeVersion);
      return { versions: records.map(policyVersionMessage) };
    }),
  };
  return methods;
}

/** All sidecars at once, then changes. A watcher that does not read misses states in between, never the last one. */
function watchFleet(call: ServerWritableStream<WatchFleetRequest, WatchFleetResponse>, fleet: Fleet): void {
  const missed = new Set<string>();
  const send = (sidecars: WatchFleetResponse['sidecars'], complete: boolean) =>
    call.write({ sidecars, complete });
  const unwatch = fleet.watch((changed) => {
    if (call.writableNeedDrain) for (const { bootId } of changed) missed.add(bootId);
    else send(changed.map(sidecarMessage), false);
  });
  call.on('drain', () => {
    const late = fleet.views(true).filter(({ bootId }) => missed.delete(bootId));
    if (late.length > 0) send(late.map(sidecarMessage), false);
  });
  call.on('cancelled', () => {
    unwatch();
    call.end();
  });
  call.on('error', unwatch);
  const first = fleet.views().map(sidecarMessage);
  const pages = Math.max(1, Math.ceil(first.length / CONTROL_LIMITS.pageSidecars));
  for (let page = 1; page <= pages; page++) {
    const from = (page - 1) * CONTROL_LIMITS.pageSidecars;
    send(first.slice(from, from + CONTROL_LIMITS.pageSidecars), page === pages);
  }
}
