// The demo's terminal view: a few lines that are redrawn in place on a terminal, one line every two seconds elsewhere.
// Shows figures, computes none.

export interface ViewFigures {
  readonly mode: string;
  readonly elapsedSec: number;
  readonly requestsPerSec: number;
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly attacks: { readonly sent: number; readonly refused: number };
  readonly normal: { readonly sent: number; readonly refused: number };
}

const PLAIN_EVERY_SEC = 2;

function ms(value: number): string {
  return Number.isNaN(value) ? '–' : `${value.toFixed(2)} ms`;
}

function lines(figures: ViewFigures): string[] {
  const elapsed = figures.elapsedSec.toFixed(0).padStart(4);
  const verdicts = Object.entries(figures.verdicts).map(([verdict, count]) => `${verdict} ${count}`);
  return [
    `mode ${figures.mode.padEnd(8)} ${elapsed} s   ${figures.requestsPerSec.toFixed(0)} requests/s`,
    `added latency  p50 ${ms(figures.addedP50Ms)}   p99 ${ms(figures.addedP99Ms)}`,
    `verdicts       ${verdicts.join('   ') || 'none yet'}`,
    `attacks        ${figures.attacks.sent} sent, ${figures.attacks.refused} refused`,
    `normal users   ${figures.normal.sent} sent, ${figures.normal.refused} refused`,
  ];
}

export class DemoView {
  readonly #out: NodeJS.WritableStream & { isTTY?: boolean };
  #drawn = 0;
  #plainSec = -PLAIN_EVERY_SEC;

  constructor(out: NodeJS.WritableStream) {
    this.#out = out;
  }

  /** A line that stays. */
  say(text: string): void {
    this.#drawn = 0;
    this.#out.write(`${text}\n`);
  }

  show(figures: ViewFigures): void {
    if (this.#out.isTTY === true) {
      const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
      const drawn = lines(figures);
      this.#out.write(up + drawn.map((line) => `\x1b[2K  ${line}\n`).join(''));
      this.#drawn = drawn.length;
      return;
    }
    if (figures.elapsedSec - this.#plainSec < PLAIN_EVERY_SEC) return;
    this.#plainSec = figures.elapsedSec;
    this.#out.write(`  ${lines(figures).join(' | ')}\n`);
  }
}
