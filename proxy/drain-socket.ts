// The local socket behind `picket drain`: whoever may open it (this user, this pod) may tell the sidecar to get ready to stop.
// One word in, one line out. Both ends are here, so that they agree; main.ts listens, cli/drain.ts asks.

import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { PicketError } from '../domain/errors.ts';

const ANSWER_MS = 5_000;
const WORD = 'drain\n';

export function drainSocketPath(stateDir: string): string {
  return join(stateDir, 'drain.sock');
}

/**
 * Makes the folder, for this user only. `shared`: its place is one where others may make folders too (the temporary folder),
 * so one that is not ours alone is not trusted. Throws CONFIG_INVALID.
 */
export async function makeStateDir(path: string, shared: boolean): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.W_OK);
    for (const folder of shared ? [dirname(path), path] : []) {
      const { uid, mode } = await lstat(folder);
      if (uid !== process.getuid?.() || (mode & 0o022) !== 0)
        throw new Error(`${folder} is not this user's alone`);
    }
  } catch (thrown) {
    throw new PicketError(
      'CONFIG_INVALID',
      `the state folder cannot be used: ${PicketError.from(thrown).message}`,
      {
        hint: 'name one that only this user can write to: --state-dir DIR',
      },
    );
  }
}

/** Listens; `onDrain` is called for each request. A socket that a dead sidecar left behind is replaced. */
export async function listenForDrain(path: string, onDrain: () => void): Promise<Server> {
  if (await answers(path)) {
    throw new PicketError('LISTEN_REFUSED', `another sidecar runs with this state folder: ${dirname(path)}`, {
      hint: 'give each its own --state-dir',
    });
  }
  await rm(path, { force: true });
  const server = createServer((socket) => serve(socket, onDrain));
  server.maxConnections = 8;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new PicketError('LISTEN_REFUSED', `the drain socket ${path} cannot be opened: ${error.message}`),
      );
    });
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return server;
}

function serve(socket: Socket, onDrain: () => void): void {
  let received = '';
  socket.setTimeout(ANSWER_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received = (received + chunk).slice(0, 64);
    if (!received.includes('\n')) return;
    if (received === WORD) {
      onDrain();
      socket.end('draining\n');
    } else {
      socket.end('the only word is "drain"\n');
    }
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Asks the sidecar behind a socket to drain; resolves with its answer. Throws UNREACHABLE. */
export function requestDrain(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      reject(
        new PicketError('UNREACHABLE', `no sidecar answers at ${path}: ${why}`, {
          hint: 'is it running, and with this --state-dir?',
        }),
      );
    };
    const socket = createConnection(path, () => socket.write(WORD));
    let answer = '';
    socket.setEncoding('latin1');
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('it does not answer')));
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', (error) => fail(error.message));
    socket.on('end', () => resolve(answer.trim()));
  });
}
