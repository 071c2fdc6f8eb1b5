// Windows shared between replicas: publishes this sidecar's rows of identities in use, reads what the others counted of them,
// and shows the engine their sum, four times a second, from the control thread. No request waits for it: while the store is away
// the engine uses its own rows, and a sum that is older than its bound is used no more. Made by parts.ts with --shared-windows.

import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Clock } from '../../domain/clock.ts';
import { PicketError } from '../../domain/errors.ts';
import { hashHex } from '../../domain/identity.ts';
import { type MergeField, RowMerger, SLICE_MS } from '../../feature-engine/row-merge.ts';
import { type StateView, TableReader } from '../../feature-engine/state-view.ts';
import type { SidecarLog } from '../log.ts';
import { type ActiveRow, ActiveRows } from './active-rows.ts';
import { ACTIVE_MAX, BATCH_MAX, OverlayRows } from './overlay-rows.ts';
import { StoreLink } from './shared-link.ts';
import { RecordCodec } from './shared-record.ts';
import type { Exchange, SharedFields } from './shared-store.ts';
import { shownUrl } from './store-url.ts';

const ACTIVE_IDLE_MS = 60_000;
/** Twice the longest window: two slices of 24 h. */
const LIFE_SECONDS = 172_800;
const PROLONG_EVERY_MS = 3_600_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** Replicas whose clock is ahead by more than this are not believed. */
const AHEAD_MAX_SLICES = 3;
/** At the end: exchanges until what was counted last is published. */
const LAST_EXCHANGES = 4;

export interface SharedWindowsOptions {
  readonly url: string;
  readonly intervalMs: number;
  readonly stalenessMs: number;
  /** How much faster than real time the sidecar's clock runs. */
  readonly clockRate: number;
  /** The data thread's memory; null while there is none. */
  readonly view: () => StateView | null;
  readonly fields: readonly MergeField[];
  readonly owner: string;
  readonly keyId: () => string;
  /** This sidecar's name in the store, and how it gets another one: 16 hex digits. */
  readonly replica: () => string;
  readonly rename: (replica: string) => void;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  readonly log: SidecarLog;
}

/** Part of /status. */
export interface SharedWindowsStatus {
  readonly state: 'off' | 'connecting' | 'connected' | 'away';
  readonly store: string | null;
  readonly last_error: string;
  readonly retry_in_ms: number;
  readonly connects_total: number;
  readonly failures_total: number;
  readonly exchanges_total: number;
  /** Ticks that found the one before still waiting for the store. */
  readonly skipped_total: number;
  readonly published_total: number;
  /** Identities in use, and those of them that other replicas have counted too. */
  readonly active: number;
  readonly merged: number;
  /** Identities in use that found no room among the active ones. */
  readonly left_total: number;
  /** Values of other replicas that could not be used: of another version, or from a clock far ahead. */
  readonly unusable_total: number;
}

export const SHARED_WINDOWS_OFF: SharedWindowsStatus = {
  ...{ state: 'off', store: null, last_error: '', retry_in_ms: 0, connects_total: 0, failures_total: 0 },
  ...{ exchanges_total: 0, skipped_total: 0, published_total: 0, active: 0, merged: 0, left_total: 0 },
  unusable_total: 0,
};

/** What is joined to one data thread's memory. */
interface Attached {
  readonly view: StateView;
  readonly table: TableReader;
  readonly active: ActiveRows;
  readonly overlays: OverlayRows;
  readonly merger: RowMerger;
  readonly codec: RecordCodec;
  readonly keyId: string;
  readonly prefix: string;
  readonly own: Uint32Array;
  readonly other: Uint32Array;
  readonly sum: Uint32Array;
}

export class SharedWindows {
  readonly #options: SharedWindowsOptions;
  readonly #link: StoreLink;
  readonly #boot = randomBytes(4).readUInt32LE();
  readonly #startedMs: number;
  #attached: Attached | null = null;
  #timer: NodeJS.Timeout | undefined;
  #busy: Promise<void> | null = null;
  #leftBefore = 0;
  #connectsSeen = 0;
  #lastBug = '';
  #counts = { exchanges: 0, skipped: 0, published: 0, unusable: 0 };

  constructor(options: SharedWindowsOptions) {
    this.#options = options;
    const { url, random, monotonicMs, log, stalenessMs } = options;
    this.#link = new StoreLink({
      ...{ url, random, monotonicMs, log, lifeSeconds: LIFE_SECONDS },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      answerTimeoutMs: stalenessMs,
    });
    this.#startedMs = options.clock.nowMs();
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#options.intervalMs);
    this.#timer.unref();
  }

  /** Publishes what was counted last, then ends; at most a few exchanges. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#busy;
    if (this.#link.state === 'connected')
      for (let i = 0; i < LAST_EXCHANGES; i++) if ((await this.#exchange()) === 0) break;
    this.end();
  }

  /** Ends at once. */
  end(): void {
    clearInterval(this.#timer);
    this.#attached?.overlays.clearAll();
    this.#link.close();
  }

  status(): SharedWindowsStatus {
    const link = this.#link;
    const attached = this.#attached;
    return {
      state: link.state,
      store: shownUrl(this.#options.url),
      last_error: link.lastError,
      retry_in_ms: Math.round(link.retryInMs),
      connects_total: link.connects,
      failures_total: link.failures,
      exchanges_total: this.#counts.exchanges,
      skipped_total: this.#counts.skipped,
      published_total: this.#counts.published,
      active: attached?.active.size ?? 0,
      merged: attached?.overlays.size ?? 0,
      left_total: this.#leftBefore + (attached?.active.left ?? 0),
      unusable_total: this.#counts.unusable,
    };
  }

  #tick(): void {
    if (this.#busy !== null) {
      this.#counts.skipped++;
      return;
    }
    this.#busy = this.#exchange()
      .catch((thrown: unknown) => this.#failed(thrown))
      .then(() => {
        this.#busy = null;
      });
  }

  /** A bug of ours: said once, not four times a second. */
  #failed(thrown: unknown): void {
    const { message } = PicketError.from(thrown);
    if (message !== this.#lastBug) this.#options.log.error({ err: thrown }, 'sharing windows failed');
    this.#lastBug = message;
    this.#attached?.overlays.clearAll();
  }

  /** One round with the store; returns how many rows were published. */
  async #exchange(): Promise<number> {
    const attached = this.#attach();
    if (attached === null) return 0;
    const { active, overlays } = attached;
    overlays.tick();
    for (const { slot } of active.scan(this.#options.monotonicMs())) overlays.clear(slot);
    if (!(await this.#link.ready())) return 0;
    // A store that was away may have lost everything.
    if (this.#link.connects !== this.#connectsSeen) active.forgetPublished();
    this.#connectsSeen = this.#link.connects;
    const rows: ActiveRow[] = [];
    const items: Exchange[] = [];
    for (const row of active.batch(BATCH_MAX)) {
      const item = this.#itemOf(attached, row);
      if (item === null) continue;
      rows.push(row);
      items.push(item);
    }
    if (items.length === 0) return 0;
    const sentMs = this.#options.clock.nowMs();
    const answers = await this.#link.exchange(items, this.#options.replica());
    this.#counts.exchanges++;
    if (answers === null) {
      overlays.clearAll();
      return 0;
    }
    const published = items.filter(({ value }) => value !== null).length;
    this.#counts.published += published;
    for (const [i, row] of rows.entries()) this.#apply(attached, row, { fields: answers[i]!, sentMs });
    return published;
  }

  /** Joined to the memory of the data thread that runs now. */
  #attach(): Attached | null {
    const { view: viewOf, fields, owner, keyId } = this.#options;
    const view = viewOf();
    const key = keyId();
    if (view === this.#attached?.view && key === this.#attached.keyId) return this.#attached;
    this.#attached?.overlays.clearAll();
    this.#leftBefore += this.#attached?.active.left ?? 0;
    const identities = view?.tables.find(({ name }) => name === 'identities');
    if (view === null || identities === undefined || view.overlays === null) {
      this.#attached = null;
      return null;
    }
    const table = new TableReader(view.buffer, identities);
    const { rowWords, layout } = identities;
    const words = () => new Uint32Array(rowWords);
    this.#attached = {
      ...{ view, table, own: words(), other: words(), sum: words() },
      active: new ActiveRows(table, { max: ACTIVE_MAX, idleMs: ACTIVE_IDLE_MS }),
      overlays: new OverlayRows(view.buffer, view.overlays),
      merger: new RowMerger(fields, rowWords),
      codec: new RecordCodec(rowWords),
      ...{ keyId: key, prefix: `picket:windows:${owner}:${key}:${layout}` },
    };
    return this.#attached;
  }

  /** What is to be done for a row; null if it is gone, or too busy just now. */
  #itemOf(attached: Attached, row: ActiveRow): Exchange | null {
    const { table, own, merger, codec, overlays, prefix } = attached;
    if (!table.copy(row.slot, own)) return null;
    const nowMs = this.#options.clock.nowMs();
    const key = hashHex(own);
    if (key !== row.key) {
      overlays.clear(row.slot);
      row.key = key;
      row.published = 0;
      row.prolongedMs = 0;
    }
    row.exchangedMs = this.#options.monotonicMs();
    merger.strip(own);
    const fingerprint = crc32(new Uint8Array(own.buffer)) || 1;
    const changed = fingerprint !== row.published;
    row.published = fingerprint;
    const prolong = row.prolongedMs === 0 || row.exchangedMs - row.prolongedMs > PROLONG_EVERY_MS;
    if (prolong) row.prolongedMs = row.exchangedMs;
    const value = changed ? codec.encode(own, { boot: this.#boot, writtenMs: nowMs }) : null;
    return { key: `${prefix}:${key}`, value, prolong };
  }

  /** Adds up what the others counted, and shows it to the engine. */
  #apply(
    { codec, merger, other, sum, overlays, prefix }: Attached,
    row: ActiveRow,
    { fields, sentMs }: { fields: SharedFields; sentMs: number },
  ): void {
    const { replica, stalenessMs, clockRate } = this.#options;
    const slice = Math.floor(sentMs / SLICE_MS);
    sum.fill(0);
    merger.roll(sum, slice);
    let others = 0;
    for (const { field, value } of fields) {
      const record = codec.decode(value, other);
      if (field === replica()) {
        if (record !== null && record.boot !== this.#boot) this.#meetDouble(record.writtenMs);
      } else if (record === null || merger.sliceOf(other) > slice + AHEAD_MAX_SLICES) {
        this.#counts.unusable++;
      } else if (sentMs - record.writtenMs > LIFE_SECONDS * 1000) {
        this.#link.remove(`${prefix}:${row.key}`, field);
      } else {
        merger.roll(other, slice);
        merger.add(sum, other);
        others++;
      }
    }
    if (others === 0) {
      overlays.clear(row.slot);
      return;
    }
    for (let i = 0; i < 4; i++) sum[i] = Number.parseInt(row.key.slice(i * 8, i * 8 + 8), 16);
    overlays.put(row.slot, sum, sentMs + stalenessMs * clockRate);
  }

  /** Somebody else writes under our name, as when a state folder was copied: take another one. */
  #meetDouble(writtenMs: number): void {
    if (writtenMs <= this.#startedMs) return;
    this.#options.rename(randomBytes(8).toString('hex'));
    this.#options.log.warn('another sidecar shares windows under the same name: this one takes a new name');
  }
}
