// `picket validate FILE…`: is this bundle, policy, OpenAPI document or config file good? Says all that is wrong, changes nothing.
// The kind is told from the content: a bundle by its first bytes, a policy by its keys; `--as` settles doubt.

import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { checkControlPlaneConfigFile } from '../control-plane/config.ts';
import { describeError, PicketError } from '../domain/errors.ts';
import { OFFERED_IDS } from '../domain/features.ts';
import { parseOpenApi } from '../domain/openapi.ts';
import { parsePolicy, policySchema } from '../domain/policy-schema.ts';
import { checkSidecarConfigFile } from '../proxy/config.ts';
import { parseBundle } from '../wasm-core/host/bundle.ts';
import { OFFERED, OFFLINE_ARENA_BYTES, offeredByName, prepareBundle } from '../wasm-core/host/prepare.ts';
import type { Command, CommandIo } from './command.ts';
import { kinds, optionsHelp, readOptions } from './options.ts';

const KINDS = ['bundle', 'policy', 'openapi', 'sidecar-config', 'control-plane-config'] as const;
type Kind = (typeof KINDS)[number];

const FILES_MAX = 1_000;
const OPTIONS = {
  as: kinds.oneOf(KINDS, { help: 'What the files are; told from their content otherwise.' }),
  json: kinds.flag({ help: 'One line of JSON per file.' }),
};

const USAGE = `Usage: picket validate [options] FILE…

Checks each file whole: a model bundle (container, digest, signature block, trees, golden
vectors on both kernels), a policy (YAML or JSON), an OpenAPI document as --openapi takes it, or
a config file of sidecar or control plane. Exit code 0 if all are good, 1 if one is not.

${optionsHelp(OPTIONS)}

Examples:
  picket validate models/default.bundle
  picket validate policy.yaml --json
`;

interface Report {
  readonly file: string;
  readonly kind: Kind;
  readonly ok: boolean;
  readonly summary: string;
  readonly error?: PicketError;
}

const MAGIC = Buffer.from([0x89, 0x50, 0x4b, 0x54, 0x0d, 0x0a, 0x1a, 0x0a]);

function kindOf(bytes: Buffer, file: string): Kind {
  if (bytes.subarray(0, 2).equals(MAGIC.subarray(0, 2)) || file.endsWith('.bundle')) return 'bundle';
  let value: unknown;
  try {
    value = parseYaml(bytes.toString('utf8'), { maxAliasCount: 0 });
  } catch {
    return 'policy';
  }
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.includes('openapi') && keys.includes('info')) return 'openapi';
  if (keys.length === 0 || keys.some((key) => key in policySchema.shape)) return 'policy';
  return keys.some((key) => key === 'dataDir' || key === 'http') ? 'control-plane-config' : 'sidecar-config';
}

function checkBundle(bytes: Buffer): string {
  const bundle = parseBundle(bytes, { requireSigned: false, trustedKeys: [] });
  const trees = bundle.detectors.reduce((sum, detector) => sum + detector.ensemble.trees.length, 0);
  const offered = new Set(OFFERED_IDS);
  const fits = bundle.features.every((feature) => offered.has(feature.id));
  const byName = offeredByName(bundle.features.map(({ name }) => name));
  if (fits) prepareBundle(bundle, OFFERED);
  else prepareBundle(bundle, byName, { arenaBytes: OFFLINE_ARENA_BYTES });
  const where = fits
    ? 'fits this sidecar; golden vectors hold'
    : 'for `picket score` only: not all features are live; golden vectors hold';
  return `bundle ${bundle.id.slice(0, 16)}: ${bundle.detectors.length} detectors, ${trees} trees, ${where}`;
}

function checkPolicyText(text: string): string {
  const policy = parsePolicy(text);
  const count = (record: object | undefined) => Object.keys(record ?? {}).length;
  const mode = policy.fleet?.mode ?? 'monitor (by default)';
  const levels = `${count(policy.namespaces)} namespaces, ${count(policy.workloads)} workloads`;
  return `policy: fleet ${mode}, ${levels}`;
}

function checkOpenApiText(text: string): string {
  const { title, paths, warnings } = parseOpenApi(text);
  const operations = paths.reduce((sum, path) => sum + path.operations.length, 0);
  const twice = warnings.length === 0 ? '' : `, ${warnings.length} templates named twice`;
  return `OpenAPI document: ${title}, ${paths.length} paths, ${operations} operations${twice}`;
}

function checkText(kind: Exclude<Kind, 'bundle'>, text: string): string {
  switch (kind) {
    case 'policy':
      return checkPolicyText(text);
    case 'openapi':
      return checkOpenApiText(text);
    case 'sidecar-config':
      return checkSidecarConfigFile(text);
    case 'control-plane-config':
      return checkControlPlaneConfigFile(text);
  }
}

function check(file: string, as: Kind | undefined): Report {
  let kind: Kind = as ?? 'policy';
  try {
    const bytes = readBytes(file);
    kind = as ?? kindOf(bytes, file);
    const summary = kind === 'bundle' ? checkBundle(bytes) : checkText(kind, bytes.toString('utf8'));
    return { file, kind, ok: true, summary };
  } catch (thrown) {
    const error = PicketError.from(thrown);
    return { file, kind, ok: false, summary: error.message, error };
  }
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (thrown) {
    throw new PicketError('DATA_INVALID', `${file} cannot be read: ${PicketError.from(thrown).message}`);
  }
}

async function run(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = readOptions(
    { command: 'picket validate', options: OPTIONS, positionalsMax: FILES_MAX },
    args,
    io,
  );
  if (positionals.length === 0) {
    throw new PicketError('CONFIG_INVALID', 'no file named', { hint: 'picket validate FILE…' });
  }
  const reports = positionals.map((file) => check(file, values.as));
  for (const report of reports) {
    if (values.json) {
      const { error, ...plain } = report;
      const detail =
        error === undefined ? {} : { code: error.code, problems: error.problems, hint: error.hint };
      io.stdout.write(`${JSON.stringify({ ...plain, ...detail })}\n`);
    } else if (report.error === undefined) {
      io.stdout.write(`${report.file}: good. ${report.summary}\n`);
    } else {
      io.stdout.write(`${report.file}: NOT good (${report.kind}). ${describeError(report.error)}\n`);
    }
  }
  return reports.every((report) => report.ok) ? 0 : 1;
}

export const validateCommand: Command = {
  name: 'validate',
  summary: 'check bundles, policies, OpenAPI documents and config files, and say all that is wrong',
  usage: USAGE,
  run,
};
