// `picket ctl mode`: shows the mode of a scope, or sets it and waits until the sidecars run it.
// What a mode means for a scope is decided by the control plane.

import { PicketError } from '../../domain/errors.ts';
import { MODES } from '../../domain/verdict.ts';
import {
  ControlServiceClient,
  ControlServiceService,
  GetModeRequest,
  SetModeRequest,
} from '../../proto/gen/picket/v1/control.ts';
import { modeSourceWords, modeWords } from '../../proto/words.ts';
import type { CommandIo } from '../command.ts';
import { kinds } from '../options.ts';
import { type Connection, connected, readCtlOptions } from './connection.ts';
import { acksExitCode, acksJson, acksText, columns, writeJson } from './show.ts';

export const MODE_OPTIONS = {
  workload: kinds.text({ help: 'Only this workload.', group: 'Scope' }),
  namespace: kinds.text({ help: 'Only this namespace, or the workload of this one.', group: 'Scope' }),
  route: kinds.text({
    help: "Only this route of the workload, as the policy declares it: 'METHOD /template'.",
    group: 'Scope',
  }),
  for: kinds.duration(
    { min: 1_000, max: 1_000 * 3_600_000 },
    { help: 'End by itself after so long, such as 30m; what held before holds then.', group: 'Change' },
  ),
  expect: kinds.text({ help: 'Refuse if the policy has another version now.', group: 'Change' }),
  wait: kinds.duration(
    { min: 0, max: 30_000 },
    { help: 'How long to wait for the sidecars.', group: 'Change', fallback: '2s' },
  ),
};

export async function modeCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = readCtlOptions('ctl mode', MODE_OPTIONS, { args, io, positionalsMax: 1 });
  const word = positionals[0];
  const mode = MODES.find((known) => known === word);
  if (word !== undefined && mode === undefined) {
    throw new PicketError('CONFIG_INVALID', `"${word}" is no mode`, {
      hint: `the modes are: ${MODES.join(', ')}`,
    });
  }
  const { workload = '', namespace = '', route = '' } = values;
  if (route !== '' && workload === '') {
    throw new PicketError('CONFIG_INVALID', '--route needs --workload', {
      hint: 'routes are declared by workload',
    });
  }
  const scope = { workload, namespace, route };
  return connected(values, io, async (connection) => {
    if (mode === undefined) return show(connection, { scope, json: values.json, io });
    const client = connection.client(ControlServiceClient);
    const request = SetModeRequest.fromPartial({
      scope,
      mode: modeWords.code(mode),
      expectedVersion: values.expect ?? '',
      actor: connection.actor,
      untilMs: values.for === undefined ? 0 : Date.now() + values.for,
      waitMs: values.wait,
    });
    const answer = await connection.call(
      client,
      ControlServiceService.setMode,
      request,
      values.wait + 10_000,
    );
    const { policyVersion, previousVersion, acks, elapsedMs } = answer;
    if (values.json) {
      const versions = { policy_version: policyVersion, previous_version: previousVersion };
      writeJson(io.stdout, { mode, ...scope, ...versions, acks: acksJson(acks), elapsed_ms: elapsedMs });
    } else {
      const was = policyVersion === previousVersion ? 'as before' : `before: ${previousVersion}`;
      io.stdout.write(`mode=${mode} for ${scopeText(scope)}, policy ${policyVersion} (${was}).\n`);
      io.stdout.write(acksText(acks, elapsedMs, route === '' ? mode : undefined));
    }
    return acksExitCode(acks);
  });
}

interface ShowOptions {
  readonly scope: { readonly workload: string; readonly namespace: string; readonly route: string };
  readonly json: boolean;
  readonly io: CommandIo;
}

async function show(connection: Connection, { scope, json, io }: ShowOptions): Promise<number> {
  const client = connection.client(ControlServiceClient);
  const request = GetModeRequest.fromPartial({ scope });
  const answer = await connection.call(client, ControlServiceService.getMode, request);
  const mode = modeWords.word(answer.mode);
  const source = modeSourceWords.word(answer.modeSource);
  const routes = answer.routes.map((entry) => ({
    route: entry.route,
    mode: modeWords.word(entry.mode),
    mode_source: modeSourceWords.word(entry.modeSource),
  }));
  if (json) {
    writeJson(io.stdout, {
      ...scope,
      mode,
      mode_source: source,
      policy_version: answer.policyVersion,
      routes,
    });
    return 0;
  }
  io.stdout.write(
    `mode=${mode} for ${scopeText(scope)}, set by: ${source}, policy ${answer.policyVersion}.\n`,
  );
  if (routes.length > 0) {
    io.stdout.write(
      columns(
        routes.map((entry) => [`  ${entry.route}`, `mode=${entry.mode}`, `set by: ${entry.mode_source}`]),
      ),
    );
  }
  return 0;
}

function scopeText(scope: ShowOptions['scope']): string {
  const { workload, namespace, route } = scope;
  if (workload === '') return namespace === '' ? 'the fleet' : `namespace ${namespace}`;
  const name = namespace === '' ? `workload ${workload}` : `workload ${namespace}/${workload}`;
  return route === '' ? name : `${name}, route ${route}`;
}
