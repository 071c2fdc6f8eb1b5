// What is remembered, saved to a real file and put back: the same rows, whatever happens to the file in between.

import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type PlainState, plainState } from '../../feature-engine/testing/plain-state.ts';
import { newLog } from '../log.ts';
import { PAUSE_MAX_MS, restoreState, type StateHolder } from './restore-state.ts';
import { ownerId, snapshotKey } from './snapshot-keys.ts';
import { SNAPSHOT_NAME, StateKeeper, type StateKeeperOptions } from './state-keeper.ts';

const NOW_MS = 1_800_000_000_000;
const ROW_WORDS = 40;
const LAST = 10;
const IDENTITY_KEY = Uint32Array.of(1, 2, 3, 4);
const folders: string[] = [];
const keepers: StateKeeper[] = [];
const lines: { level: string; msg: string }[] = [];

afterEach(async () => {
  for (const keeper of keepers.splice(0)) await keeper.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  lines.length = 0;
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'picket-state-'));
  folders.push(folder);
  return folder;
}

function newKeeper(options: Partial<StateKeeperOptions> = {}): StateKeeper {
  const stream = { write: (line: string): void => void lines.push(JSON.parse(line)) };
  const keeper = new StateKeeper({
    owner: ownerId('ns', 'wl'),
    keys: () => [snapshotKey(IDENTITY_KEY)],
    bytesMax: 2 ** 25,
    intervalSeconds: 0,
    clock: { nowMs: () => NOW_MS },
    log: newLog({ level: 'debug', workload: 'wl', bootId: 'b', stream }),
    monotonicMs: () => 0,
    replica: '00000000000000aa',
    ...options,
  });
  keepers.push(keeper);
  return keeper;
}

function state(rows = 0): PlainState {
  const made = plainState([
    { name: 'identities', capacity: 64, rowWords: ROW_WORDS },
    { name: 'addresses', capacity: 64, rowWords: ROW_WORDS },
  ]);
  for (let n = 0; n < rows; n++) {
    const doubles = new Float64Array(ROW_WORDS / 2);
    doubles[LAST / 2] = NOW_MS - n;
    const row = new Uint32Array(doubles.buffer);
    row.set([n + 1, 2, 3, 4]);
    row[30] = n * 7;
    made.put('identities', row, { seen: n, good: n });
    made.put('addresses', row, { seen: n, good: 0 });
  }
  return made;
}

interface Holder extends StateHolder {
  readonly rows: Map<string, number[][]>;
}

function holder(): Holder {
  const rows = new Map<string, number[][]>();
  return {
    rows,
    stateView: state().view,
    stateStartedMs: NOW_MS,
    rowFields: () => [{ kind: 'last', word: LAST }],
    restoreRow(table, { words }) {
      rows.set(table, [...(rows.get(table) ?? []), [...words]]);
      return true;
    },
  };
}

/** A keeper that has saved `rows` rows of either axis that were counted from an hour ago on. */
async function saved(rows = 3): Promise<{ keeper: StateKeeper; path: string; folder: string }> {
  const keeper = newKeeper();
  const folder = newFolder();
  keeper.open(folder, '');
  const order = keeper.order()!;
  keeper.began(state(rows).view, NOW_MS - 3_600_000, restoreState(holder(), order, NOW_MS));
  await keeper.save();
  return { keeper, path: join(folder, SNAPSHOT_NAME), folder };
}

describe('what is remembered', () => {
  it('is put back from the file, with its age and the name of who wrote it', async () => {
    const { keeper, path, folder } = await saved();
    expect(keeper.status()).toMatchObject({
      ...{ file: path, restored: 'absent', saves_total: 1, save_failures_total: 0, off_because: '' },
      last_save: { at: new Date(NOW_MS).toISOString(), rows: { identities: 3, addresses: 3 }, left: 0 },
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual([SNAPSHOT_NAME]);

    const next = newKeeper({ replica: '00000000000000bb' });
    next.open(folder, '');
    const engine = holder();
    const report = restoreState(engine, next.order(), NOW_MS + 20_000);
    next.began(state().view, engine.stateStartedMs, report);
    expect(engine.stateStartedMs).toBe(NOW_MS - 3_600_000);
    expect(engine.rows.get('identities')!.map((row) => row[30])).toEqual([0, 7, 14]);
    expect(next.replica).toBe('00000000000000aa');
    expect(next.status()).toMatchObject({
      ...{ restored: 'restored', restored_rows: { identities: 3, addresses: 3 }, restore_problem: '' },
      since: new Date(NOW_MS - 3_600_000).toISOString(),
    });
    expect(lines.map(({ msg }) => msg)).toContain('what was remembered is back');
  });

  it('begins its age anew after a pause that is longer than what first-seen flags bear', async () => {
    const { keeper } = await saved();
    const engine = holder();
    const report = restoreState(engine, keeper.order(), NOW_MS + PAUSE_MAX_MS + 1);
    expect(report).toMatchObject({ outcome: 'restored', rows: { identities: 3 } });
    expect(report.why).toContain('age begins anew');
    expect(engine.stateStartedMs).toBe(NOW_MS);
  });

  it('comes back without the rows that make no sense', async () => {
    const keeper = newKeeper();
    keeper.open(newFolder(), '');
    const { view, words } = state(3);
    const torn = view.tables[0]!.rowsAt + ROW_WORDS + LAST;
    new Float64Array(view.buffer)[torn / 2] = NOW_MS + 3_600_000;
    expect(words[torn]).not.toBe(0);
    keeper.began(view, NOW_MS, restoreState(holder(), keeper.order(), NOW_MS));
    await keeper.save();
    const report = restoreState(holder(), keeper.order(), NOW_MS);
    expect(report).toMatchObject({ outcome: 'restored', rows: { identities: 2, addresses: 3 }, left: 1 });
  });
});

describe('a state file that is not good', () => {
  it('is refused and said, and the engine stays empty', async () => {
    const { path, folder } = await saved();
    const good = readFileSync(path);
    const cases: [string, Buffer, string][] = [
      ['changed', Buffer.from(good.map((byte, at) => (at === good.length - 3 ? byte ^ 1 : byte))), 'damaged'],
      ['cut', good.subarray(0, 200), 'damaged'],
      ['empty', Buffer.alloc(0), 'damaged'],
      ['random', randomBytes(4096), 'damaged'],
    ];
    for (const [name, content, refusal] of cases) {
      writeFileSync(path, content);
      const keeper = newKeeper();
      keeper.open(folder, '');
      const engine = holder();
      const report = restoreState(engine, keeper.order(), NOW_MS);
      keeper.began(state().view, NOW_MS, report);
      expect(report, name).toMatchObject({ outcome: 'refused', refusal });
      expect(engine.rows.size, name).toBe(0);
      expect(engine.stateStartedMs, name).toBe(NOW_MS);
      expect(keeper.status(), name).toMatchObject({ restored: 'refused', restore_refused: refusal });
      expect(lines.at(-1), name).toMatchObject({ level: 'error' });
      expect(lines.at(-1)!.msg, name).toContain(report.why);
    }
  });

  it('is refused for another key or workload, and taken with the former key of a rotation', async () => {
    const { folder } = await saved();
    const other = snapshotKey(Uint32Array.of(9, 9, 9, 9));
    const report = (options: Partial<StateKeeperOptions>) => {
      const keeper = newKeeper(options);
      keeper.open(folder, '');
      return restoreState(holder(), keeper.order(), NOW_MS);
    };
    expect(report({ keys: () => [other] })).toMatchObject({ outcome: 'refused', refusal: 'key' });
    expect(report({ owner: ownerId('ns', 'other') })).toMatchObject({ refusal: 'owner' });
    expect(report({ keys: () => [other, snapshotKey(IDENTITY_KEY)] })).toMatchObject({ outcome: 'restored' });
  });

  it('gives rows only, their totals anew, when the key was rotated', async () => {
    const { folder } = await saved();
    const now = snapshotKey(Uint32Array.of(9, 9, 9, 9));
    const keeper = newKeeper({ keys: () => [now, snapshotKey(IDENTITY_KEY)] });
    keeper.open(folder, '');
    const engine = { ...holder(), rowFields: () => [{ kind: 'total', word: 30 }] };
    const report = restoreState(engine, keeper.order(), NOW_MS);
    expect(report).toMatchObject({ outcome: 'restored', rows: { identities: 3, addresses: 3 } });
    expect(report.why).toContain('former identity key');
    expect(engine.rows.get('identities')!.map((row) => row[30])).toEqual([0, 0, 0]);
    expect(engine.stateStartedMs).toBe(NOW_MS);
  });

  it('that cannot be opened is said, not fatal', async () => {
    const { keeper, path } = await saved();
    const report = restoreState(holder(), { ...keeper.order()!, path: join(path, 'below') }, NOW_MS);
    expect(report).toMatchObject({ outcome: 'failed' });
    expect(report.why).toContain('ENOTDIR');
  });
});

describe('saving', () => {
  it('that fails is counted and said once, and leaves the file as it was', async () => {
    const { keeper, path, folder } = await saved();
    const before = readFileSync(path);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file where the folder was');
    await keeper.save();
    await keeper.save();
    expect(keeper.status()).toMatchObject({ saves_total: 1, save_failures_total: 2 });
    expect(keeper.status().last_save_problem).toContain('ENOTDIR');
    expect(lines.filter(({ msg }) => msg.startsWith('the state could not be saved'))).toHaveLength(1);
    expect(before.length).toBeGreaterThan(0);
  });

  it('replaces what a save that was killed left behind', async () => {
    const { keeper, path, folder } = await saved();
    const beside = join(folder, `.${SNAPSHOT_NAME}.new`);
    writeFileSync(beside, 'half of it');
    chmodSync(beside, 0o400);
    await keeper.save();
    expect(keeper.status().saves_total).toBe(2);
    expect(readdirSync(folder)).toEqual([SNAPSHOT_NAME]);
    expect(restoreState(holder(), keeper.order(), NOW_MS).outcome).toBe('restored');
    expect(statSync(path).size).toBeGreaterThan(100);
  });

  it('is off and says why: no lasting folder, no lasting key, no room', async () => {
    const because = (folder: string | null, why: string, options: Partial<StateKeeperOptions> = {}) => {
      const keeper = newKeeper(options);
      keeper.open(folder, why);
      expect(keeper.order()).toBeNull();
      return keeper.status().off_because;
    };
    expect(because(null, '')).toContain('no state folder');
    expect(because(newFolder(), 'it is temporary')).toContain('temporary');
    expect(because(newFolder(), '', { keys: () => [] })).toContain('--identity-key-file');
    expect(because(newFolder(), '', { bytesMax: 0 })).toContain('--state-dir-max-bytes');
  });
});

describe('a data thread that ended soon after its state was put back', () => {
  it('is started without it; one that ran for a while gets it again', async () => {
    const { folder } = await saved();
    let nowMs = 0;
    const keeper = newKeeper({ monotonicMs: () => nowMs });
    keeper.open(folder, '');
    const begin = (): void =>
      keeper.began(state().view, NOW_MS, restoreState(holder(), keeper.order(), NOW_MS));
    begin();
    expect(keeper.status().restored).toBe('restored');
    nowMs = 1_000;
    expect(keeper.order()).toBeNull();
    nowMs = 60_000;
    begin();
    nowMs = 120_000;
    begin();
    expect(keeper.status().restored).toBe('restored');
  });
});
