// `picket control-plane`: reads the options, starts a control plane, serves until a signal ends it. All work is in
// control-plane/. The first SIGTERM or SIGINT ends in good order, a second one at once.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressText, checkControlPlaneConfig } from '../control-plane/config.ts';
import { CONTROL_PLANE_OPTIONS } from '../control-plane/control-plane-options.ts';
import { controlPlaneLog } from '../control-plane/log.ts';
import { type RunningControlPlane, startControlPlane } from '../control-plane/main.ts';
import { systemClock } from '../domain/clock.ts';
import type { Command, CommandIo } from './command.ts';
import { optionsHelp, readOptions } from './options.ts';
import { PACKAGE_ROOT } from './package-root.ts';

const USAGE = `Usage: picket control-plane --data-dir DIR [options]

Keeps the policy, the models and the events of many sidecars, and switches their mode. Sidecars and operators
speak gRPC to it; probes and metrics are on a read-only HTTP listener. Beyond loopback it needs TLS and tokens
and refuses to start without them.

  picket control-plane --listen 127.0.0.1:14443 --http 127.0.0.1:14444 --data-dir ./data
  picket ctl status --control-plane 127.0.0.1:14443
  picket ctl mode block --control-plane 127.0.0.1:14443
  curl -s 127.0.0.1:14444/metrics

In a cluster:
  echo "operator:$(openssl rand -hex 32)" > tokens; echo "sidecar:$(openssl rand -hex 32)" >> tokens
  picket control-plane --listen 0.0.0.0:8443 --http 0.0.0.0:8080 --data-dir /var/lib/picket \\
    --tls-cert tls.crt --tls-key tls.key --token-file tokens

Signals: SIGTERM and SIGINT end it in good order, a second one at once.
Exit codes: 0 ended in order, 1 it failed or was ended at once, 2 the call was wrong.
${optionsHelp(CONTROL_PLANE_OPTIONS)}`;

function version(): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const { values: config } = readOptions(
    { command: 'picket control-plane', options: CONTROL_PLANE_OPTIONS, check: checkControlPlaneConfig },
    args,
    io,
  );
  const log = controlPlaneLog(config.logLevel);
  const running = await startControlPlane(config, { clock: systemClock(), log, version: version() });
  if (config.listen.port === 0) {
    io.stdout.write(`gRPC on ${running.grpcAddress}, HTTP on ${running.httpAddress}\n`);
  } else {
    log.debug({ listen: addressText(config.listen) }, 'serving');
  }
  return untilSignal(running);
}

function untilSignal(running: RunningControlPlane): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = () => {
      if (stopping) process.exit(1);
      stopping = true;
      running.close().then(
        () => resolve(0),
        () => resolve(1),
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

export const controlPlaneCommand: Command = {
  name: 'control-plane',
  summary: 'keep policy, models and events for many sidecars',
  usage: USAGE,
  run,
};
