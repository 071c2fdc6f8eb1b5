// Runs a real helm over a scratch copy of the charts and judges objects by the Kubernetes JSON schemas.
// Knows nothing of what the charts should say: that is helm.test.ts, its only caller.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parseAllDocuments } from 'yaml';
import { findTool } from '../../scripts/tools.ts';

const CHARTS = fileURLToPath(new URL('../../helm', import.meta.url));

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

export interface HelmResult {
  readonly ok: boolean;
  readonly text: string;
}

export interface RenderOptions {
  /** The chart, below helm/. */
  readonly chart: string;
  readonly kubeVersion?: string;
  /** Values files, below the chart. */
  readonly files?: readonly string[];
  /** Values given in the test. */
  readonly values?: unknown;
}

/** A helm binary with a home of its own and a copy of the charts with their dependencies built. */
export class HelmRig {
  readonly #binary: string;
  readonly #folder: string;
  readonly #objects = new Map<string, KubeObject[]>();

  constructor(binary: string) {
    this.#binary = binary;
    this.#folder = mkdtempSync(join(tmpdir(), 'picket-helm-'));
    cpSync(CHARTS, join(this.#folder, 'helm'), { recursive: true });
    const built = this.run(['dependency', 'build', this.chart('picket-sidecar/examples/orders')]);
    if (!built.ok) throw new Error(`helm dependency build failed: ${built.text}`);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  chart(name: string): string {
    return join(this.#folder, 'helm', name);
  }

  run(args: readonly string[]): HelmResult {
    const home = join(this.#folder, 'home');
    mkdirSync(home, { recursive: true });
    const env = { HOME: home, PATH: process.env['PATH'] ?? '' };
    const result = spawnSync(this.#binary, args, { env, encoding: 'utf8' });
    return {
      ok: result.status === 0,
      text: result.status === 0 ? result.stdout : result.stdout + result.stderr,
    };
  }

  /** `helm template`, namespace shop, release name demo. */
  template(options: RenderOptions): HelmResult {
    const args = ['template', 'demo', this.chart(options.chart), '--namespace', 'shop'];
    if (options.kubeVersion !== undefined) args.push('--kube-version', options.kubeVersion);
    for (const file of options.files ?? []) args.push('--values', join(this.chart(options.chart), file));
    if (options.values !== undefined) {
      const file = join(this.#folder, 'values.json');
      writeFileSync(file, JSON.stringify(options.values));
      args.push('--values', file);
    }
    return this.run(args);
  }

  /** The rendered objects, kept per options; throws what helm said when it refuses. */
  objects(options: RenderOptions): KubeObject[] {
    const key = JSON.stringify(options);
    const known = this.#objects.get(key);
    if (known !== undefined) return known;
    const rendered = this.template(options);
    if (!rendered.ok) throw new Error(rendered.text);
    const objects = parseAllDocuments(rendered.text)
      .map((document) => document.toJS() as KubeObject | null)
      .filter((object) => object !== null);
    this.#objects.set(key, objects);
    return objects;
  }
}

/** Strict schemas of one Kubernetes minor, from .tools. */
export class KubeSchemas {
  readonly #folder: string;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(minor: string) {
    this.#folder = join(findTool('k8s-schemas')!, '..', minor);
    this.#ajv.addSchema(this.#read('_definitions'));
  }

  /** What is wrong with an object, in words; empty when it would be taken. */
  problems(object: KubeObject): string[] {
    const [group = '', version] = object.apiVersion.includes('/')
      ? object.apiVersion.split('/')
      : ['', object.apiVersion];
    const name = [object.kind.toLowerCase(), group.split('.')[0], version].filter(Boolean).join('-');
    if (!existsSync(join(this.#folder, `${name}.json`)))
      return [`no schema for ${object.apiVersion} ${object.kind}`];
    let validate = this.#compiled.get(name);
    if (validate === undefined) {
      validate = this.#ajv.compile(this.#read(name));
      this.#compiled.set(name, validate);
    }
    const isTaken: boolean = validate(object);
    if (isTaken) return [];
    const where = `${object.kind} ${object.metadata.name}`;
    return (validate.errors ?? []).map((error) => {
      return `${where}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`;
    });
  }

  #read(name: string): object {
    return JSON.parse(readFileSync(join(this.#folder, `${name}.json`), 'utf8')) as object;
  }
}
