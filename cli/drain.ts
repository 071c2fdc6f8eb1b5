// `picket drain`: asks the sidecar of this pod, over its local socket, to get ready to stop. Returns at once; the sidecar
// goes on serving until SIGTERM. Made for a preStop hook.

import { stateDirOf } from '../proxy/config.ts';
import { drainSocketPath, requestDrain } from '../proxy/drain-socket.ts';
import { SIDECAR_OPTIONS } from '../proxy/sidecar-options.ts';
import type { Command, CommandIo } from './command.ts';
import { optionsHelp, readOptions } from './options.ts';

const OPTIONS = { stateDir: SIDECAR_OPTIONS.stateDir, listen: SIDECAR_OPTIONS.listen };

const USAGE = `Usage: picket drain [--state-dir DIR | --listen HOST:PORT]

Tells a sidecar on this machine that it will be stopped: it becomes not ready (/ready answers 503) and closes
each client connection after its answer, but serves everything until SIGTERM. Name the sidecar as it was
started: by its state folder, or, if it has none of its own, by its listener.

  picket drain --state-dir /var/lib/picket
  picket drain --listen 127.0.0.1:14080
${optionsHelp(OPTIONS)}`;

async function run(args: string[], io: CommandIo): Promise<number> {
  const { values } = readOptions({ command: 'picket drain', options: OPTIONS }, args, io);
  io.stdout.write(`${await requestDrain(drainSocketPath(stateDirOf(values)))}\n`);
  return 0;
}

export const drainCommand: Command = {
  name: 'drain',
  summary: 'tell the sidecar of this pod to get ready to stop',
  usage: USAGE,
  run,
};
