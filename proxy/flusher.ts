// One flush per tick for answers that are still open: what has been held back goes on at the end of the tick, all together.
// An answer that ends within its tick is written whole and costs nothing here. Used by the data plane only.

import type { Exchange } from './exchange.ts';

export class Flusher {
  #open: Exchange[] = [];
  #scheduled = false;
  readonly #run = (): void => {
    this.#scheduled = false;
    const open = this.#open;
    this.#open = [];
    for (const exchange of open) exchange.flush();
  };

  add(exchange: Exchange): void {
    this.#open.push(exchange);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }
}
