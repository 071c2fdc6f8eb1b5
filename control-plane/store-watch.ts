// Asks the store from time to time whether it still answers, and tells the health state: a control plane whose store is gone
// says so to probes and clients. A full disk is no reason: reading and switching modes go on, and the metric shows it.

import type { Logger } from 'pino';
import { PicketError } from '../domain/errors.ts';
import type { Health } from './services/health-service.ts';
import type { EventStore } from './store/store.ts';

const EVERY_MS = 2_000;
const ANSWER_MS = 10_000;

/** Begins to watch; the returned function ends it. */
export function watchStore(events: EventStore, health: Health, log: Logger): () => void {
  let asking = false;
  let stopped = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    answersInTime(events).then((error) => {
      asking = false;
      if (stopped || (error === null) === health.isServing) return;
      if (error === null) log.info('the store answers again');
      else log.error({ err: error }, 'the store does not answer');
      health.setServing(error === null);
    });
  }, EVERY_MS);
  timer.unref();
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

/** Null if the store answered, else why not. Never rejects. */
async function answersInTime(events: EventStore): Promise<PicketError | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<PicketError>((resolve) => {
    timer = setTimeout(() => resolve(new PicketError('STORE_FAILED', 'no answer in time')), ANSWER_MS);
  });
  const asked = events.totals().then(
    () => null,
    (thrown: unknown) => PicketError.from(thrown, 'STORE_FAILED'),
  );
  const answer = await Promise.race([asked, late]);
  clearTimeout(timer);
  return answer;
}
