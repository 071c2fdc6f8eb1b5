// The files that a sidecar is started with: identity secret, trusted keys, policy, bundle, address databases. At start all must
// be good, and all that is wrong is said at once; at a reload (SIGHUP) a bad file changes nothing. Puts nothing in force.

import { readFileSync } from 'node:fs';
import { type ErrorCode, PicketError, type Problem } from '../domain/errors.ts';
import type { OpenApiRoutes } from '../domain/openapi.ts';
import type { PolicyDocument } from '../domain/policy.ts';
import { GeoFiles } from '../feature-engine/geo-files.ts';
import type { TrustedKey } from '../wasm-core/host/container.ts';
import { parseTrustedKeys } from '../wasm-core/host/trusted-keys.ts';
import type { SidecarConfig } from './config.ts';
import { sha256Hex } from './current.ts';
import { type IdentityKeys, identityKeys } from './identity-key.ts';
import { keptSecret } from './state/kept-secret.ts';

/** The bundle that this build comes with, beside sources and bundled program alike. */
export const DEFAULT_BUNDLE_URL = new URL('../models/default.bundle', import.meta.url);

export interface PolicyFile {
  readonly document: PolicyDocument;
  /** `file-` and the first digits of its digest. */
  readonly version: string;
}

export interface OpenApiFile {
  readonly routes: OpenApiRoutes;
  /** `file-` and the first digits of its digest. */
  readonly version: string;
}

export interface BundleFile {
  readonly bytes: Buffer;
  readonly digest: string;
}

function read(path: string | URL, flag: string, code: ErrorCode): Buffer {
  try {
    return readFileSync(path);
  } catch (thrown) {
    const why = PicketError.from(thrown).message;
    throw new PicketError(code, `the file of ${flag} cannot be read`, {
      problems: [{ field: flag, value: String(path), expected: 'a readable file', hint: why }],
    });
  }
}

/** Null without --policy. Throws POLICY_INVALID or CONFIG_INVALID. */
export async function readPolicyFile(config: Pick<SidecarConfig, 'policy'>): Promise<PolicyFile | null> {
  if (config.policy === undefined) return null;
  const bytes = read(config.policy, '--policy', 'CONFIG_INVALID');
  // Loaded only where there is a policy to read: the schema's library costs 8 MB of memory.
  const { parsePolicy } = await import('../domain/policy-schema.ts');
  return { document: parsePolicy(bytes.toString('utf8')), version: `file-${sha256Hex(bytes).slice(0, 12)}` };
}

/** Null without --openapi. Throws OPENAPI_INVALID or CONFIG_INVALID. */
export async function readOpenApiFile(config: Pick<SidecarConfig, 'openapi'>): Promise<OpenApiFile | null> {
  if (config.openapi === undefined) return null;
  const bytes = read(config.openapi, '--openapi', 'CONFIG_INVALID');
  const { parseOpenApi } = await import('../domain/openapi.ts');
  return { routes: parseOpenApi(bytes.toString('utf8')), version: `file-${sha256Hex(bytes).slice(0, 12)}` };
}

/** The bytes of --bundle, else of the default bundle; null if there is neither. Throws CONFIG_INVALID. */
export function readBundleFile(
  config: Pick<SidecarConfig, 'bundle'>,
  standard: URL = DEFAULT_BUNDLE_URL,
): BundleFile | null {
  let bytes: Buffer;
  if (config.bundle === undefined) {
    try {
      bytes = readFileSync(standard);
    } catch {
      return null;
    }
  } else {
    bytes = read(config.bundle, '--bundle', 'CONFIG_INVALID');
  }
  return { bytes, digest: sha256Hex(bytes) };
}

export interface StartFiles {
  readonly identityKeys: IdentityKeys;
  readonly trustedKeys: readonly TrustedKey[];
  readonly policy: PolicyFile | null;
  readonly bundle: BundleFile | null;
  readonly openApi: OpenApiFile | null;
  readonly geo: GeoFiles;
}

const NO_KEYS: IdentityKeys = { current: new Uint32Array(4), keyId: 0, former: null };

/** The bytes of --identity-key-file. Throws CONFIG_INVALID. */
export function readIdentityKeyFile(path: string): Buffer {
  return read(path, '--identity-key-file', 'CONFIG_INVALID');
}

/** Reads all files. Throws the one error, or CONFIG_INVALID with the problems of all. */
export async function readStartFiles(config: SidecarConfig): Promise<StartFiles> {
  const errors: PicketError[] = [];
  const attempt = async <T>(run: () => T | Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await run();
    } catch (thrown) {
      errors.push(PicketError.from(thrown));
      return otherwise;
    }
  };
  const { identityKeyFile, trustedKeys, namespace, geo, asn, hostingCidrs } = config;
  const noGeo = await GeoFiles.open({});
  const files: StartFiles = {
    identityKeys: await attempt(() => {
      const content =
        identityKeyFile === undefined ? keptSecret(config.stateDir) : readIdentityKeyFile(identityKeyFile);
      return identityKeys(content, namespace, Date.now());
    }, NO_KEYS),
    trustedKeys: await attempt(
      () =>
        trustedKeys === undefined
          ? []
          : parseTrustedKeys(read(trustedKeys, '--trusted-keys', 'CONFIG_INVALID').toString('utf8')),
      [],
    ),
    policy: await attempt(() => readPolicyFile(config), null),
    bundle: await attempt(() => readBundleFile(config), null),
    openApi: await attempt(() => readOpenApiFile(config), null),
    geo: await attempt(() => GeoFiles.open({ geo, asn, hostingCidrs }), noGeo),
  };
  const [first] = errors;
  if (first === undefined) return files;
  if (errors.length === 1) throw first;
  throw new PicketError('CONFIG_INVALID', `${errors.length} files are not good; nothing was started`, {
    problems: errors.flatMap(asProblems),
  });
}

function asProblems(error: PicketError): readonly Problem[] {
  return error.problems.length > 0
    ? error.problems
    : [{ field: error.code, value: error.message, expected: 'a good file', ...hintOf(error) }];
}

function hintOf({ hint }: PicketError): { hint?: string } {
  return hint === undefined ? {} : { hint };
}
