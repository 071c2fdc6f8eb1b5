// The connection to the shared store, Redis or Valkey: one hash per identity, one field per replica, a whole tick's commands in
// one write and one wait. A connection that fails, or answers too late, is given up; who asks again is shared-windows.ts.
// Loaded only with --shared-windows.

import { createClient } from '@redis/client';
import { PicketError } from '../../domain/errors.ts';

/** What is to be done for one identity. */
export interface Exchange {
  readonly key: string;
  /** Publishes this value in `field`; null reads only. */
  readonly value: Buffer | null;
  /** Lets the hash live on for `lifeSeconds`. */
  readonly prolong: boolean;
}

/** Fields of one hash and their values. */
export type SharedFields = readonly { readonly field: string; readonly value: Uint8Array }[];

export interface SharedStore {
  /** Publishes, then reads, in order. Throws UNREACHABLE if not all of it came back in time. */
  exchange(items: readonly Exchange[], field: string): Promise<readonly SharedFields[]>;
  remove(key: string, field: string): void;
  close(): void;
}

export interface StoreOptions {
  /** redis:// or rediss://, with user, password and database if need be. */
  readonly url: string;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly lifeSeconds: number;
}

/** RESP type byte of a bulk string: values come as bytes. */
const BULK_STRING = 36;
/** Values of one hash that are looked at; a workload has fewer replicas. */
const FIELDS_MAX = 256;

type Client = ReturnType<typeof newClient>;

function newClient(options: StoreOptions) {
  return createClient({
    url: options.url,
    RESP: 2,
    name: 'picket',
    disableOfflineQueue: true,
    commandOptions: { typeMapping: { [BULK_STRING]: Buffer } },
    socket: {
      connectTimeout: options.connectTimeoutMs,
      noDelay: true,
      keepAlive: true,
      // Coming back is decided in one place: by whoever asks again.
      reconnectStrategy: false,
    },
  });
}

/** Connects. Throws UNREACHABLE. */
export async function connectStore(options: StoreOptions): Promise<SharedStore> {
  const client = newClient(options);
  // Without a listener an error between two commands would end the process.
  client.on('error', () => {});
  try {
    // The handshake must end in time too: a store that hangs still takes connections, and one without our password answers.
    await withDeadline(greet(client), options.connectTimeoutMs);
  } catch (thrown) {
    destroy(client);
    throw unreachable(thrown);
  }
  return new RedisStore(client, options);
}

async function greet(client: Client): Promise<void> {
  await client.connect();
  await client.sendCommand(['PING']);
}

function unreachable(thrown: unknown): PicketError {
  const { message } = PicketError.from(thrown);
  return new PicketError('UNREACHABLE', `the shared store: ${message || 'no answer'}`, { cause: thrown });
}

function destroy(client: Client): void {
  try {
    client.destroy();
  } catch {
    // It was never open, or is closed already.
  }
}

class RedisStore implements SharedStore {
  readonly #client: Client;
  readonly #options: StoreOptions;

  constructor(client: Client, options: StoreOptions) {
    this.#client = client;
    this.#options = options;
  }

  async exchange(items: readonly Exchange[], field: string): Promise<readonly SharedFields[]> {
    const life = String(this.#options.lifeSeconds);
    const others: Promise<unknown>[] = [];
    const reads: Promise<unknown>[] = [];
    for (const { key, value, prolong } of items) {
      if (value !== null) others.push(this.#client.sendCommand(['HSET', key, field, value]));
      if (prolong) others.push(this.#client.sendCommand(['EXPIRE', key, life]));
      reads.push(this.#client.sendCommand(['HGETALL', key]));
    }
    try {
      const [answers] = await withDeadline(
        Promise.all([Promise.all(reads), Promise.all(others)]),
        this.#options.answerTimeoutMs,
      );
      return answers.map(fieldsOf);
    } catch (thrown) {
      this.close();
      throw unreachable(thrown);
    }
  }

  remove(key: string, field: string): void {
    this.#client.sendCommand(['HDEL', key, field]).catch(() => {});
  }

  close(): void {
    destroy(this.#client);
  }
}

async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // What is given up must not be an unhandled rejection when the connection is closed.
    work.catch(() => {});
  }
}

/** HGETALL of RESP 2: field, value, field, value. */
function fieldsOf(answer: unknown): SharedFields {
  const fields: { field: string; value: Uint8Array }[] = [];
  if (!Array.isArray(answer)) return fields;
  for (let i = 0; i + 1 < answer.length && fields.length < FIELDS_MAX; i += 2) {
    const [name, value] = [answer[i] as unknown, answer[i + 1] as unknown];
    if (Buffer.isBuffer(name) && Buffer.isBuffer(value))
      fields.push({ field: name.toString('latin1'), value });
  }
  return fields;
}
