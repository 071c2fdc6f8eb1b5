// What signals do to a running sidecar, and the exit code that follows. SIGTERM and SIGINT: finish what is under way, then 0;
// a second one: end at once, 1. SIGHUP: read the files again. Called by cli/sidecar.ts.

import type { Sidecar } from './main.ts';

/** The part of `process` that is needed; tests bring their own. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** Resolves with the exit code when the sidecar has ended. `endNow` ends the process, at a second signal. */
export function runUntilSignal(
  sidecar: Sidecar,
  signals: SignalSource,
  endNow: (code: number) => void,
): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const end = (code: number): void => {
      signals.off('SIGTERM', stop);
      signals.off('SIGINT', stop);
      signals.off('SIGHUP', reload);
      resolve(code);
    };
    const stop = (): void => {
      if (stopping) {
        sidecar.log.warn('a second signal: ending at once');
        endNow(1);
        return;
      }
      stopping = true;
      sidecar.stop().then(
        () => end(0),
        (thrown: unknown) => {
          sidecar.log.error({ err: thrown }, 'the stop failed');
          end(1);
        },
      );
    };
    const reload = (): void => void sidecar.reload();
    signals.on('SIGTERM', stop);
    signals.on('SIGINT', stop);
    signals.on('SIGHUP', reload);
  });
}
