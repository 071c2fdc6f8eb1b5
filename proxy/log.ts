// The sidecar's log: pino, one JSON line each, on standard output. Never a value that came with a request.
// Redaction is the second line of defence: nothing hands secrets to the log, and if something did, they would not show.

import { type DestinationStream, type Logger, pino } from 'pino';
import type { NoteLevel, ThreadNote } from './note.ts';

const SECRET_KEYS = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'proxy-authorization',
  'token',
  'key',
  'secret',
];

/** Paths of fields that never show: at the top, and one and two levels down. */
export const REDACTED_PATHS: readonly string[] = SECRET_KEYS.flatMap((name) => {
  const quoted = `["${name}"]`;
  return [quoted, `*${quoted}`, `*.*${quoted}`];
});

export interface LogOptions {
  readonly level: string;
  /** Where lines go; standard output if absent. */
  readonly stream?: DestinationStream;
  readonly workload: string;
  readonly bootId: string;
}

export type SidecarLog = Logger;

export function newLog(options: LogOptions): SidecarLog {
  return pino(
    {
      level: options.level,
      base: { workload: options.workload, boot: options.bootId.slice(0, 8) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...REDACTED_PATHS], censor: '[redacted]' },
    },
    options.stream ?? standardOutput(),
  );
}

/** Standard output; that nobody reads it any more is no reason to end. */
function standardOutput(): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: true });
  stream.on('error', () => {});
  return stream;
}

const WRITERS: Readonly<Record<NoteLevel, (log: SidecarLog, note: ThreadNote) => void>> = {
  debug: (log, { code, message }) => log.debug({ code }, message),
  info: (log, { code, message }) => log.info({ code }, message),
  warn: (log, { code, message }) => log.warn({ code }, message),
  error: (log, { code, message }) => log.error({ code }, message),
};

export function logNote(log: SidecarLog, note: ThreadNote): void {
  WRITERS[note.level](log, note);
}
