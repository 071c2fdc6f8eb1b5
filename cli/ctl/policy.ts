// `picket ctl policy get|apply|history`: the whole policy document and its versions.

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
import { connected, readCtlOptions } from './connection.ts';
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

export async function policyCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = readCtlOptions('ctl policy', POLICY_OPTIONS, {
    args,
    io,
    positionalsMax: 2,
  });
  const [action = '', file] = positionals;
  if (action !== 'get' && action !== 'apply' && action !== 'history') {
    throw new PicketError('CONFIG_INVALID', `"${action}" is nothing that "ctl policy" does`, {
      hint: 'one of: get, apply FILE, history',
    });
  }
  if ((action === 'apply') !== (file !== undefined)) {
    throw new PicketError(
      'CONFIG_INVALID',
      action === 'apply' ? 'which file?' : `"${action}" takes no file`,
      {
        hint: 'picket ctl policy apply FILE',
      },
    );
  }
  const document = file === undefined ? '' : readPolicyFile(file);
  return connected(values, io, async (connection) => {
    const client = connection.client(ControlServiceClient);
    const service = ControlServiceService;
    if (action === 'get') {
      const request = GetPolicyRequest.fromPartial({ version: values.version ?? '' });
      const answer = await connection.call(client, service.getPolicy, request);
      const parsed = JSON.parse(answer.document) as unknown;
      const version = answer.version?.version;
      if (values.json) writeJson(io.stdout, { version, document: parsed });
      else io.stdout.write(`# version ${version}\n${stringify(parsed)}`);
      return 0;
    }
    if (action === 'history') {
      const request = ListPolicyVersionsRequest.fromPartial({ limit: values.limit });
      const { versions } = await connection.call(client, service.listPolicyVersions, request);
      if (values.json) {
        writeJson(
          io.stdout,
          versions.map(({ version, atMs, actor, change }) => ({ version, at_ms: atMs, actor, change })),
        );
      } else {
        io.stdout.write(
          columns(versions.map((entry) => [entry.version, timeText(entry.atMs), entry.actor, entry.change])),
        );
      }
      return 0;
    }
    const { actor } = connection;
    const expectedVersion = values.expect ?? '';
    const request = ApplyPolicyRequest.fromPartial({ document, expectedVersion, actor, waitMs: values.wait });
    const answer = await connection.call(client, service.applyPolicy, request, values.wait + 10_000);
    const { policyVersion, previousVersion, changed, acks, elapsedMs } = answer;
    if (values.json) {
      const versions = { policy_version: policyVersion, previous_version: previousVersion, changed };
      writeJson(io.stdout, { ...versions, acks: acksJson(acks), elapsed_ms: elapsedMs });
    } else {
      const words = changed
        ? `policy ${policyVersion} (before: ${previousVersion})`
        : `unchanged: ${policyVersion}`;
      io.stdout.write(`${words}.\n${acksText(acks, elapsedMs)}`);
    }
    return acksExitCode(acks);
  });
}

function readPolicyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new PicketError('DATA_INVALID', `${path} cannot be read: ${PicketError.from(thrown).message}`);
  }
}
