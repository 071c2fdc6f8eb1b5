// How `picket ctl` writes: aligned columns, times, counts of acks.
// No calls are made here.

import type { SidecarAck } from '../../proto/gen/picket/v1/common.ts';
import { modeSourceWords, modeWords } from '../../proto/words.ts';

/** Text from elsewhere without control characters: it must not steer the terminal. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

/** Rows as aligned columns; the last column is not padded. */
export function columns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(plain));
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** A time in UTC, to the second; "-" for none. */
export function timeText(ms: number): string {
  return ms === 0 ? '-' : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** What the sidecars did with a push: one line, and one for each that did not take it or keeps another mode. */
export function acksText(acks: readonly SidecarAck[], elapsedMs: number, meant?: string): string {
  if (acks.length === 0) return 'No sidecar is connected in this scope: it takes effect when one connects.\n';
  const done = acks.filter((ack) => ack.acked);
  const lines = [`${done.length}/${acks.length} sidecars applied it in ${elapsedMs} ms.`];
  for (const ack of acks) {
    const name = `${ack.namespace}/${ack.workload} ${ack.bootId.slice(0, 8)}`;
    const mode = modeWords.word(ack.effectiveMode) ?? '?';
    if (!ack.acked) lines.push(`  ${name}: not applied: ${ack.error}`);
    else if (meant !== undefined && mode !== meant) {
      lines.push(`  ${name}: keeps mode=${mode}, set by its ${modeSourceWords.word(ack.modeSource) ?? '?'}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Acks for scripts. */
export function acksJson(acks: readonly SidecarAck[]): unknown[] {
  return acks.map((ack) => ({
    sidecar: ack.bootId,
    namespace: ack.namespace,
    workload: ack.workload,
    acked: ack.acked,
    applied_ms: ack.appliedMs,
    error: ack.error,
    mode: modeWords.word(ack.effectiveMode),
    mode_source: modeSourceWords.word(ack.modeSource),
  }));
}

/** Exit code of a command that pushed something: 1 if a connected sidecar did not take it. */
export function acksExitCode(acks: readonly SidecarAck[]): number {
  return acks.every((ack) => ack.acked) ? 0 : 1;
}

export function writeJson(stdout: NodeJS.WritableStream, value: unknown): void {
  stdout.write(`${JSON.stringify(value)}\n`);
}
