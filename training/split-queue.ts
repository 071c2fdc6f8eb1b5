// The leaves that may still be split, best gain first: a binary heap that moves its items exactly as Python's heapq does,
// so that equal gains come out in scikit-learn's order. Used by grower.ts only.

export interface HasGain {
  readonly gain: number;
}

export class SplitQueue<T extends HasGain> {
  readonly #items: T[] = [];

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#towardsRoot(this.#items.length - 1);
  }

  /** Takes the item of the largest gain; undefined when empty. */
  pop(): T | undefined {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return last;
    const best = this.#items[0]!;
    this.#items[0] = last;
    this.#fromRoot();
    return best;
  }

  /** Takes all that is left, last item first. */
  drain(): T[] {
    return this.#items.splice(0).reverse();
  }

  /** Goes down to a leaf along the better children, then up again: heapq's way. */
  #fromRoot(): void {
    const items = this.#items;
    const item = items[0]!;
    let at = 0;
    let child = 1;
    while (child < items.length) {
      const right = child + 1;
      if (right < items.length && !(items[child]!.gain > items[right]!.gain)) child = right;
      items[at] = items[child]!;
      at = child;
      child = 2 * at + 1;
    }
    items[at] = item;
    this.#towardsRoot(at);
  }

  #towardsRoot(start: number): void {
    const items = this.#items;
    const item = items[start]!;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!(item.gain > items[parent]!.gain)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }
}
