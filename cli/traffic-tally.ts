// What `picket simulate` and `picket replay` count and print: requests, answers, flags and refusals by label or identity,
// and the line of progress. Pure counting and text; the commands gather the inputs.

export interface GroupCount {
  requests: number;
  flagged: number;
  refused: number;
}

export class Tally {
  readonly total: GroupCount = { requests: 0, flagged: 0, refused: 0 };
  readonly statuses = new Map<number, number>();
  readonly #groups = new Map<string, GroupCount>();

  add(
    group: string,
    one: { readonly flagged: boolean; readonly refused: boolean; readonly status: number },
  ): void {
    let counts = this.#groups.get(group);
    if (counts === undefined) {
      counts = { requests: 0, flagged: 0, refused: 0 };
      this.#groups.set(group, counts);
    }
    for (const count of [this.total, counts]) {
      count.requests++;
      if (one.flagged) count.flagged++;
      if (one.refused) count.refused++;
    }
    this.statuses.set(one.status, (this.statuses.get(one.status) ?? 0) + 1);
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /** Groups with most flagged first, then most refused, then most requests. */
  groups(max = Infinity): { name: string; counts: GroupCount }[] {
    return [...this.#groups]
      .map(([name, counts]) => ({ name, counts }))
      .sort(
        (a, b) =>
          b.counts.flagged - a.counts.flagged ||
          b.counts.refused - a.counts.refused ||
          b.counts.requests - a.counts.requests,
      )
      .slice(0, max);
  }

  statusCounts(): Record<string, number> {
    return Object.fromEntries([...this.statuses].sort(([a], [b]) => a - b));
  }
}

export function share(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(2)} %`;
}

/** Columns padded to their widest cell; the first one to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .join('\n');
}

/** Columns padded to their widest cell, all to the left; the last one as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  '))
    .join('\n');
}

const PROGRESS_MS = 1000;

/** A line that is written over on a terminal, and once in ten seconds elsewhere. */
export class Progress {
  readonly #stream: NodeJS.WritableStream;
  readonly #isTerminal: boolean;
  #lastMs = performance.now();

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    this.#isTerminal = 'isTTY' in stream && stream.isTTY === true;
  }

  /** Cheap enough to call for every request. */
  update(text: () => string): void {
    const now = performance.now();
    if (now - this.#lastMs < (this.#isTerminal ? PROGRESS_MS / 4 : PROGRESS_MS * 10)) return;
    this.#lastMs = now;
    this.#stream.write(this.#isTerminal ? `\r\x1b[K${text()}` : `${text()}\n`);
  }

  done(): void {
    if (this.#isTerminal) this.#stream.write('\r\x1b[K');
  }
}

/** Quantile of values in ms, one decimal; null if there are none. */
export function quantileMs(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0) * 10) / 10;
}
