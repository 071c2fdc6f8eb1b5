// Policy versions and models: the few records that people make, in a SQLite file of their own (control.db).
// Runs in the writer thread. Every change is one commit with who and when; nothing is ever overwritten.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PicketError } from '../../domain/errors.ts';
import type { ModelRecord, ModelStage, NewModel, NewPolicy, PolicyRecord } from './store.ts';

const FORMAT = 1;
const SCHEMA = `
CREATE TABLE policies(number INTEGER PRIMARY KEY, version TEXT NOT NULL UNIQUE, document TEXT NOT NULL,
  at_ms INTEGER NOT NULL, actor TEXT NOT NULL, change TEXT NOT NULL);
CREATE TABLE models(number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, bundle_id TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, manifest TEXT NOT NULL, signed_by TEXT NOT NULL, pushed_ms INTEGER NOT NULL,
  pushed_by TEXT NOT NULL);
CREATE TABLE activations(number INTEGER PRIMARY KEY, digest TEXT NOT NULL, at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL);
PRAGMA user_version = ${FORMAT};
`;

const MODELS = `SELECT m.*, a.at_ms AS activated_ms, a.actor AS activated_by,
    m.digest = (SELECT digest FROM activations ORDER BY number DESC LIMIT 1) AS is_active
  FROM models m LEFT JOIN activations a
    ON a.number = (SELECT max(number) FROM activations WHERE digest = m.digest)`;

type Row = Record<string, unknown>;

export class RecordWriter {
  readonly #database: DatabaseSync;

  constructor(dir: string) {
    const path = join(dir, 'control.db');
    this.#database = openAlone(path, dir);
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version === 0) this.#database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    else if (version !== FORMAT) {
      throw new PicketError('STORE_FAILED', `${path} has format ${version}, this version reads ${FORMAT}`);
    }
  }

  newestPolicy(): PolicyRecord | null {
    const row = this.#database.prepare('SELECT * FROM policies ORDER BY number DESC LIMIT 1').get();
    return row === undefined ? null : policyOf(row);
  }

  policy(version: string): PolicyRecord | null {
    const row = this.#database.prepare('SELECT * FROM policies WHERE version = ?').get(version);
    return row === undefined ? null : policyOf(row);
  }

  /** Compare and set: this thread is the only writer, so reading and writing cannot be parted. */
  appendPolicy(policy: NewPolicy): PolicyRecord {
    const newest = this.#database
      .prepare('SELECT number, version FROM policies ORDER BY number DESC LIMIT 1')
      .get();
    const standing = (newest?.['version'] ?? '') as string;
    if (policy.expectedVersion !== null && policy.expectedVersion !== standing) {
      throw new PicketError(
        'POLICY_VERSION_CONFLICT',
        `the policy is at version ${standing === '' ? '(none)' : standing}, not ${policy.expectedVersion}`,
        { hint: 'get the newest policy, make the change again, and apply it with its version' },
      );
    }
    const number = ((newest?.['number'] ?? 0) as number) + 1;
    const hash = createHash('sha256').update(policy.document).digest('hex').slice(0, 8);
    const record = { ...policy, version: `v${number}-${hash}` };
    const insert = this.#database.prepare('INSERT INTO policies VALUES(?, ?, ?, ?, ?, ?)');
    insert.run(number, record.version, record.document, record.atMs, record.actor, record.change);
    const { version, document, atMs, actor, change } = record;
    return { version, document, atMs, actor, change };
  }

  policies(limit: number, before: string): PolicyRecord[] {
    const sql = `SELECT * FROM policies
      WHERE ? = '' OR number < (SELECT number FROM policies WHERE version = ?) ORDER BY number DESC LIMIT ?`;
    return this.#database.prepare(sql).all(before, before, limit).map(policyOf);
  }

  addModel(model: NewModel): boolean {
    const insert = this.#database.prepare(`INSERT OR IGNORE INTO
      models(digest, bundle_id, size_bytes, manifest, signed_by, pushed_ms, pushed_by)
      VALUES(?, ?, ?, ?, ?, ?, ?)`);
    const { digest, bundleId, sizeBytes, manifest, signedBy, pushedMs, pushedBy } = model;
    return insert.run(digest, bundleId, sizeBytes, manifest, signedBy, pushedMs, pushedBy).changes === 1;
  }

  models(limit: number): ModelRecord[] {
    return this.#database.prepare(`${MODELS} ORDER BY m.number DESC LIMIT ?`).all(limit).map(modelOf);
  }

  findModels(prefix: string): ModelRecord[] {
    const sql = `${MODELS} WHERE substr(m.digest, 1, ?) = ? OR substr(m.bundle_id, 1, ?) = ? LIMIT 3`;
    const { length } = prefix;
    return this.#database.prepare(sql).all(length, prefix, length, prefix).map(modelOf);
  }

  activate(digest: string, actor: string, atMs: number): ModelRecord {
    if (this.#model(digest) === null) throw new PicketError('NOT_FOUND', `no model has the digest ${digest}`);
    const insert = this.#database.prepare('INSERT INTO activations(digest, at_ms, actor) VALUES(?, ?, ?)');
    insert.run(digest, atMs, actor);
    return this.#model(digest)!;
  }

  activeModel(): ModelRecord | null {
    const row = this.#database.prepare('SELECT digest FROM activations ORDER BY number DESC LIMIT 1').get();
    return row === undefined ? null : this.#model(row['digest'] as string);
  }

  previousModel(): ModelRecord | null {
    const sql = `SELECT digest FROM activations
      WHERE digest <> (SELECT digest FROM activations ORDER BY number DESC LIMIT 1)
      ORDER BY number DESC LIMIT 1`;
    const row = this.#database.prepare(sql).get();
    return row === undefined ? null : this.#model(row['digest'] as string);
  }

  close(): void {
    this.#database.close();
  }

  #model(digest: string): ModelRecord | null {
    const row = this.#database.prepare(`${MODELS} WHERE m.digest = ?`).get(digest);
    return row === undefined ? null : modelOf(row);
  }
}

/** Opens the file and holds it for as long as this program runs: marks in memory allow one writer only. */
function openAlone(path: string, dir: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    database.exec('BEGIN IMMEDIATE; COMMIT;');
    return database;
  } catch (thrown) {
    database.close();
    const { message } = PicketError.from(thrown);
    if (!/locked|busy/i.test(message)) throw thrown;
    throw new PicketError('STORE_FAILED', `another control plane works in ${dir}`, {
      hint: 'stop it, or give this one a folder of its own with --data-dir',
    });
  }
}

function policyOf(row: Row): PolicyRecord {
  return {
    version: row['version'] as string,
    document: row['document'] as string,
    atMs: row['at_ms'] as number,
    actor: row['actor'] as string,
    change: row['change'] as string,
  };
}

function modelOf(row: Row): ModelRecord {
  const activatedMs = (row['activated_ms'] ?? 0) as number;
  const stage: ModelStage = row['is_active'] === 1 ? 'active' : activatedMs > 0 ? 'retired' : 'candidate';
  return {
    digest: row['digest'] as string,
    bundleId: row['bundle_id'] as string,
    sizeBytes: row['size_bytes'] as number,
    manifest: row['manifest'] as string,
    signedBy: row['signed_by'] as string,
    pushedMs: row['pushed_ms'] as number,
    pushedBy: row['pushed_by'] as string,
    stage,
    activatedMs,
    activatedBy: (row['activated_by'] ?? '') as string,
  };
}
