// `picket sidecar`: reads the options, starts a sidecar, serves until a signal ends it.
// All work is in proxy/; this file holds the help text and the way from arguments to a config.

import { checkSidecarConfig, type SidecarConfig } from '../proxy/config.ts';
import { startSidecar } from '../proxy/main.ts';
import { SIDECAR_OPTIONS } from '../proxy/sidecar-options.ts';
import { runUntilSignal } from '../proxy/signals.ts';
import type { Command, CommandIo } from './command.ts';
import { optionsHelp, readOptions } from './options.ts';

const USAGE = `Usage: picket sidecar --upstream URL [options]

Stands before one application: takes its traffic, scores every request, and does what the policy says: in
monitor mode it only watches, in block mode it refuses what the policy refuses. Starts without a control plane
and goes on without one.

  picket sidecar --upstream http://127.0.0.1:8080
  picket sidecar --upstream http://127.0.0.1:8080 --policy policy.yaml --bundle models/default.bundle
  picket sidecar --upstream http://127.0.0.1:8080 --control-plane 127.0.0.1:14443 --workload orders
  curl -s 127.0.0.1:14190/status

Signals: SIGTERM and SIGINT finish what is under way (at most --drain-seconds), a second one ends at once;
SIGHUP reads --policy and --bundle again, and a file that is not good changes nothing. "picket drain" makes it
not ready before a stop.
Exit codes: 0 ended in order, 1 it failed or was ended at once, 2 the call was wrong.
${optionsHelp(SIDECAR_OPTIONS)}`;

async function run(args: string[], io: CommandIo): Promise<number> {
  const { values } = readOptions(
    { command: 'picket sidecar', options: SIDECAR_OPTIONS, check: (config) => checkSidecarConfig(config) },
    args,
    io,
  );
  const config: SidecarConfig = Object.freeze(values);
  const sidecar = await startSidecar({ config });
  return runUntilSignal(sidecar, process, (code) => process.exit(code));
}

export const sidecarCommand: Command = {
  name: 'sidecar',
  summary: 'stand beside an application: proxy, score, decide',
  usage: USAGE,
  run,
};
