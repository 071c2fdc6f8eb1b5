// Taking the files of a sidecar: at start, and again at SIGHUP. A file that is not good keeps what runs and is said.
// What a control plane gave stands above files: it is not replaced by them.

import { PicketError } from '../domain/errors.ts';
import type { SidecarConfig } from './config.ts';
import type { Current } from './current.ts';
import type { SidecarLog } from './log.ts';
import {
  type BundleFile,
  type OpenApiFile,
  readBundleFile,
  readOpenApiFile,
  readPolicyFile,
  type StartFiles,
} from './start-files.ts';

/** Puts the files of the start in force. Throws BUNDLE_*: at start everything must be good. */
export async function takeStartFiles(
  config: SidecarConfig,
  files: StartFiles,
  { current, log }: Running,
): Promise<void> {
  if (files.openApi !== null) await takeOpenApi(files.openApi, { current, log });
  if (files.policy !== null) await current.setPolicy({ ...files.policy, origin: 'bootstrap' });
  if (files.bundle !== null) await setBundleFile(config, files.bundle, current);
}

export interface Running {
  readonly current: Current;
  readonly log: SidecarLog;
}

async function takeOpenApi(file: OpenApiFile, { current, log }: Running): Promise<string> {
  await current.setOpenApi(file);
  const { title, paths, warnings } = file.routes;
  if (warnings.length > 0)
    log.warn({ warnings: warnings.slice(0, 20) }, 'the OpenAPI document names a template twice');
  const said = `${title}, ${paths.length} paths`;
  log.info({ openapi: file.version, paths: paths.length }, `declared routes: ${said}`);
  return said;
}

async function setBundleFile(config: SidecarConfig, file: BundleFile, current: Current): Promise<string> {
  const prepared = current.prepare(file.bytes);
  const origin = config.bundle === undefined ? 'default' : 'bootstrap';
  await current.setBundle({ prepared, digest: file.digest, origin });
  return prepared.id;
}

/** Reads --policy, --bundle and --openapi again; returns what became of each, as it is logged. Never throws. */
export async function reloadFiles(
  config: SidecarConfig,
  current: Current,
  log: SidecarLog,
): Promise<string[]> {
  return [
    await reloadOne('policy', log, () => reloadPolicy(config, current)),
    await reloadOne('bundle', log, () => reloadBundle(config, current)),
    ...(config.openapi === undefined
      ? []
      : [await reloadOne('OpenAPI document', log, () => reloadOpenApi(config, { current, log }))]),
  ];
}

async function reloadPolicy(config: SidecarConfig, current: Current): Promise<string> {
  const file = await readPolicyFile(config);
  if (file === null) return 'there is no --policy file';
  if (current.policy.origin === 'control_plane') return "the control plane's stays in force";
  if (file.version === current.policy.version) return 'unchanged';
  await current.setPolicy({ ...file, origin: 'bootstrap' });
  return `now ${file.version}`;
}

async function reloadOpenApi(config: SidecarConfig, running: Running): Promise<string> {
  const file = await readOpenApiFile(config);
  if (file === null) return 'there is no file';
  if (file.version === running.current.openApi?.version) return 'unchanged';
  return `now ${await takeOpenApi(file, running)}`;
}

async function reloadBundle(config: SidecarConfig, current: Current): Promise<string> {
  const file = readBundleFile(config);
  if (file === null) return 'there is no file';
  if (current.bundle?.origin === 'control_plane') return "the control plane's stays in force";
  if (file.digest === current.bundle?.digest) return 'unchanged';
  return `now ${await setBundleFile(config, file, current)}`;
}

async function reloadOne(what: string, log: SidecarLog, reload: () => Promise<string>): Promise<string> {
  try {
    const outcome = await reload();
    log.info(`reload of the ${what}: ${outcome}`);
    return `${what}: ${outcome}`;
  } catch (thrown) {
    const error = PicketError.from(thrown);
    const { code, problems } = error;
    log.error({ code, problems }, `the new ${what} is not good, the old one stays: ${error.message}`);
    return `${what}: refused, ${code}`;
  }
}
