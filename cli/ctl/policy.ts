// `picket ctl policy get|apply|history`: the whole policy document and its versions.
// The control plane checks a document; `picket validate` does the same without one.

import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { PicketError } from '../../domain/errors.ts';
import {
  ApplyPolicyRequest,
  ControlServiceClient,
  ControlServiceService,
  GetPolicyRequest,
  ListPolicyVersionsRequest,
} from '../../proto/gen/picket/v1/control.ts';
import type { CommandIo } from '../command.ts';
import { kinds } from '../options.ts';
import { type Connection, connected, readCtlOptions } from './connection.ts';
import { acksExitCode, acksJson, acksText, columns, timeText, writeJson } from './show.ts';

export const POLICY_OPTIONS = {
  version: kinds.text({ help: 'get: this version in place of the newest.', group: 'Policy' }),
  expect: kinds.text({ help: 'apply: refuse if the policy has another version now.', group: 'Policy' }),
  wait: kinds.duration(
    { min: 0, max: 30_000 },
    { help: 'apply: how long to wait for the sidecars.', group: 'Policy', fallback: '2s' },
  ),
  limit: kinds.int(
    { min: 1, max: 1_000 },
    { help: 'history: so many versions, newest first.', group: 'Policy', fallback: '20' },
  ),
};

interface PolicyCall {
  readonly connection: Connection;
  readonly client: ControlServiceClient;
  readonly io: CommandIo;
  readonly json: boolean;
}

export async function policyCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const call = { args, io, positionalsMax: 2 };
  const { values, positionals } = readCtlOptions('ctl policy', POLICY_OPTIONS, call);
  const [action = '', file] = positionals;
  if (action !== 'get' && action !== 'apply' && action !== 'history') {
    throw new PicketError('CONFIG_INVALID', `"${action}" is nothing that "ctl policy" does`, {
      hint: 'one of: get, apply FILE, history',
    });
  }
  if ((action === 'apply') !== (file !== undefined)) {
    const message = action === 'apply' ? 'which file?' : `"${action}" takes no file`;
    throw new PicketError('CONFIG_INVALID', message, { hint: 'picket ctl policy apply FILE' });
  }
  const document = file === undefined ? '' : readPolicyFile(file);
  return connected(values, io, (connection) => {
    const client = connection.client(ControlServiceClient);
    const policyCall = { connection, client, io, json: values.json };
    if (action === 'get') return get(policyCall, values.version ?? '');
    if (action === 'history') return history(policyCall, values.limit);
    return apply(policyCall, { document, expectedVersion: values.expect ?? '', waitMs: values.wait });
  });
}

async function get({ connection, client, io, json }: PolicyCall, asked: string): Promise<number> {
  const request = GetPolicyRequest.fromPartial({ version: asked });
  const answer = await connection.call(client, ControlServiceService.getPolicy, request);
  const document = JSON.parse(answer.document) as unknown;
  const version = answer.version?.version;
  if (json) writeJson(io.stdout, { version, document });
  else io.stdout.write(`# version ${version}\n${stringify(document)}`);
  return 0;
}

async function history({ connection, client, io, json }: PolicyCall, limit: number): Promise<number> {
  const request = ListPolicyVersionsRequest.fromPartial({ limit });
  const { versions } = await connection.call(client, ControlServiceService.listPolicyVersions, request);
  if (json) {
    const shown = versions.map(({ version, atMs, actor, change }) => ({
      version,
      at_ms: atMs,
      actor,
      change,
    }));
    writeJson(io.stdout, shown);
  } else {
    const rows = versions.map(({ version, atMs, actor, change }) => [version, timeText(atMs), actor, change]);
    io.stdout.write(columns(rows));
  }
  return 0;
}

async function apply(
  { connection, client, io, json }: PolicyCall,
  change: { readonly document: string; readonly expectedVersion: string; readonly waitMs: number },
): Promise<number> {
  const request = ApplyPolicyRequest.fromPartial({ ...change, actor: connection.actor });
  const timeoutMs = change.waitMs + 10_000;
  const answer = await connection.call(client, ControlServiceService.applyPolicy, request, timeoutMs);
  const { policyVersion, previousVersion, changed, acks, elapsedMs } = answer;
  if (json) {
    const versions = { policy_version: policyVersion, previous_version: previousVersion, changed };
    writeJson(io.stdout, { ...versions, acks: acksJson(acks), elapsed_ms: elapsedMs });
  } else {
    const words = changed
      ? `policy ${policyVersion} (before: ${previousVersion})`
      : `unchanged: ${policyVersion}`;
    io.stdout.write(`${words}.\n${acksText(acks, elapsedMs)}`);
  }
  return acksExitCode(acks);
}

function readPolicyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new PicketError('DATA_INVALID', `${path} cannot be read: ${PicketError.from(thrown).message}`);
  }
}
