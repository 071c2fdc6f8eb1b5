// The control plane's log: pino, one JSON line each, on standard output.
// Never a token, a bundle's bytes or a policy's text: versions, digests, names and counts only.

import { type Logger, pino } from 'pino';

export type { Logger };

/** `level`: a level of pino, or silent. */
export function controlPlaneLog(level: string): Logger {
  return pino({ name: 'picket-control-plane', level });
}
