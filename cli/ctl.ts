// `picket ctl`: asks and steers a control plane over gRPC.
// Picks the sub-command; each has its file in ctl/.

import { PicketError } from '../domain/errors.ts';
import type { Command, CommandIo } from './command.ts';
import { BUCKET_OPTIONS, bucketsCommand } from './ctl/buckets.ts';
import { CONNECTION_OPTIONS } from './ctl/connection.ts';
import { MODE_OPTIONS, modeCommand } from './ctl/mode.ts';
import { MODEL_OPTIONS, modelCommand } from './ctl/model.ts';
import { POLICY_OPTIONS, policyCommand } from './ctl/policy.ts';
import { statusCommand } from './ctl/status.ts';
import { VERDICT_OPTIONS, verdictsCommand } from './ctl/verdicts.ts';
import { optionsHelp } from './options.ts';

type SubCommand = (args: readonly string[], io: CommandIo) => Promise<number>;

const SUB_COMMANDS: Readonly<Record<string, SubCommand>> = {
  mode: modeCommand,
  policy: policyCommand,
  model: modelCommand,
  status: statusCommand,
  verdicts: verdictsCommand,
  buckets: bucketsCommand,
};

/** The options of one sub-command without the line about environment and file, which is the same for all. */
function ownOptions(title: string, options: Parameters<typeof optionsHelp>[0]): string {
  const lines = optionsHelp(options).split('\n');
  const end = lines.findIndex((line) => line.startsWith('Every option'));
  return [`${title}:`, ...lines.slice(0, end).filter((line) => !/^\S.*:$|^$/.test(line)), ''].join('\n');
}

const USAGE = `Usage: picket ctl mode [monitor|block] [--workload W] [--namespace N]
                       [--route 'METHOD /template'] [--for TIME]
       picket ctl policy get | apply FILE [--expect V] | history
       picket ctl model push FILE [--activate] | activate DIGEST | rollback | list
       picket ctl status
       picket ctl verdicts [--follow] [--limit N] [--verdict flag,block] [--json]
       picket ctl buckets [--workload W] [--limit N] [--json]

Without a mode, "ctl mode" shows the one that holds. A change is a new version of the policy, and the command
waits until the connected sidecars run it. A model is named by the beginning of its digest or bundle id.

  picket ctl mode block --control-plane 127.0.0.1:14443
  picket ctl mode block --workload orders --route 'GET /orders/{id}' --for 30m
  picket ctl policy get > policy.yaml; picket ctl policy apply policy.yaml --expect v3-1a2b3c4d
  picket ctl verdicts --follow --verdict flag,block

Exit codes: 0 done, 1 it failed or a connected sidecar did not take the change, 2 the call was wrong.

${ownOptions('ctl mode', MODE_OPTIONS)}
${ownOptions('ctl policy', POLICY_OPTIONS)}
${ownOptions('ctl model', MODEL_OPTIONS)}
${ownOptions('ctl verdicts', VERDICT_OPTIONS)}
${ownOptions('ctl buckets', BUCKET_OPTIONS)}
All of them:
${optionsHelp(CONNECTION_OPTIONS).trimStart()}`;

async function run(args: string[], io: CommandIo): Promise<number> {
  const [name = '', ...rest] = args;
  const command = Object.hasOwn(SUB_COMMANDS, name) ? SUB_COMMANDS[name] : undefined;
  if (command !== undefined) return command(rest, io);
  const message = name === '' ? 'what should be done?' : `"${name}" is nothing that "picket ctl" does`;
  throw new PicketError('CONFIG_INVALID', message, {
    hint: `one of: ${Object.keys(SUB_COMMANDS).join(', ')}; see: picket ctl --help`,
  });
}

export const ctlCommand: Command = {
  name: 'ctl',
  summary: 'ask and steer a control plane: mode, policy, model, status, verdicts, buckets',
  usage: USAGE,
  run,
};
