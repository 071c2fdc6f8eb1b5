// The head kernels in a memory of their own, for tests: reads one head and shows what was found and written.
// Called by the tests of kernel/.

import { BODY_FEATURES, LEXICAL_FEATURES } from '../../domain/features-lexical.ts';
import type { HeadView } from '../../domain/head-view.ts';
import { HEAD_CALL } from '../kernel/head-kernels.ts';
import { HEAD_MEMORY_BYTES, HeadMemory } from '../kernel/head-memory.ts';
import { EngineMemory } from '../kernel/memory.ts';
import type { KernelVariant } from '../kernel/module.ts';

export const SEED = 0x5eed;
export const LEXICAL = 16;
export const BODY = LEXICAL + LEXICAL_FEATURES.length;
const PLACES = BODY + BODY_FEATURES.length;

/** A head as tests draw it. */
export interface DrawnHead {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
  /** Place of the user agent among the fields, -1 without one. */
  readonly agent: number;
}

export class HeadReader {
  readonly heads: HeadMemory;
  readonly memory: EngineMemory;
  readonly out: Float64Array;
  readonly #outAt: number;

  /** @param moreBytes what the test takes besides. */
  constructor(variant: KernelVariant, moreBytes = 0) {
    this.memory = new EngineMemory(HEAD_MEMORY_BYTES + 8 * PLACES + 64 + moreBytes, variant);
    this.heads = new HeadMemory(this.memory, { seed: SEED, request: 0, lexical: LEXICAL, body: BODY });
    this.#outAt = this.memory.take(8 * PLACES);
    this.out = new Float64Array(this.memory.buffer, this.#outAt, PLACES);
    this.memory.words[(this.memory.kernels.callAt.value + HEAD_CALL.shown) / 4] = 1;
  }

  read(head: HeadView): void {
    this.out.fill(0.25);
    this.heads.take(head);
    this.memory.kernels.readHead(this.#outAt);
  }

  readBody(prefix: Uint8Array | null): number[] {
    this.heads.takeBody(prefix);
    this.memory.kernels.readBodyPrefix(this.#outAt);
    return [...this.out.subarray(BODY)];
  }

  word(at: number): number {
    return this.memory.words[(this.memory.kernels.callAt.value + at) / 4]!;
  }

  get found() {
    const params = Array.from({ length: this.word(HEAD_CALL.paramCount) }, (_, i) => ({
      key: this.word(HEAD_CALL.paramKeys + 4 * i),
      value: this.word(HEAD_CALL.paramValues + 4 * i),
    }));
    const number = this.memory.doubles[(this.memory.kernels.callAt.value + HEAD_CALL.objectNumber) / 8]!;
    return {
      path: this.word(HEAD_CALL.path),
      agent: this.word(HEAD_CALL.agent),
      family: this.word(HEAD_CALL.agentFamily),
      rewritten: this.heads.rewritten,
      object: { hash: this.word(HEAD_CALL.object), number, params },
    };
  }
}

export function fillHead(head: HeadView, drawn: DrawnHead): HeadView {
  let fits = head.begin(drawn.method, drawn.target);
  for (const [name, value] of drawn.fields) fits &&= head.add(name, value) >= 0;
  if (!fits) throw new RangeError('the drawn head does not fit');
  head.userAgentField = drawn.agent < drawn.fields.length ? drawn.agent : -1;
  head.contentLength = drawn.target.length % 2 === 0 ? Number.NaN : 12_345_678_901;
  return head;
}
