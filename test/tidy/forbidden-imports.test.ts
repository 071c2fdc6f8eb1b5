// Shows that a forbidden import fails `tsc -b`: the real tsconfig files of every part, around one small file per part
// that imports all the others. What the references allow must compile, what they do not must be TS6307 by name.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMPORT_TABLE } from './import-table.ts';
import { ROOT } from './source-file.ts';

const PARTS = [
  'domain',
  'wasm-core',
  'feature-engine',
  'proto',
  'proxy',
  'control-plane',
  'training',
  'simulator',
];

interface PartConfig {
  readonly references?: readonly { readonly path: string }[];
}

function referencesOf(part: string): string[] {
  const config = JSON.parse(readFileSync(join(ROOT, part, 'tsconfig.json'), 'utf8')) as PartConfig;
  return (config.references ?? []).map((reference) => reference.path.replace('../', ''));
}

function compile(folder: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-b', ...PARTS], { cwd: folder }, (_error, stdout) => resolve(stdout));
  });
}

/** One import of each other part; `tried` says which. */
function writePart(folder: string, part: string, tried: readonly string[]): void {
  mkdirSync(join(folder, part), { recursive: true });
  copyFileSync(join(ROOT, part, 'tsconfig.json'), join(folder, part, 'tsconfig.json'));
  writeFileSync(join(folder, part, 'word.ts'), `export const word = '${part}';\n`);
  for (const other of tried) {
    writeFileSync(join(folder, part, `from-${other}.ts`), `export { word } from '../${other}/word.ts';\n`);
  }
}

describe('project references', () => {
  let folder = '';
  let complaints = '';
  const forbidden: string[] = [];

  beforeAll(async () => {
    mkdirSync(join(ROOT, '.tsbuild'), { recursive: true });
    // Below the root, so that node's types are found.
    folder = mkdtempSync(join(ROOT, '.tsbuild', 'forbidden-'));
    copyFileSync(join(ROOT, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
    for (const part of PARTS) {
      const others = PARTS.filter((other) => other !== part);
      writePart(folder, part, others);
      const allowed = referencesOf(part);
      forbidden.push(
        ...others.filter((other) => !allowed.includes(other)).map((other) => `${part}/from-${other}.ts`),
      );
    }
    complaints = await compile(folder);
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('refuse exactly the imports that no reference allows', () => {
    const refused = new Set(
      [...complaints.matchAll(/^(\S+\.ts)\(\d+,\d+\): error TS6307/gm)].map((found) => found[1]!),
    );
    expect([...refused].sort()).toEqual([...forbidden].sort());
    expect(
      complaints.split('\n').filter((line) => line.includes('error') && !line.includes('TS6307')),
    ).toEqual([]);
  });

  it('keep proxy, control-plane, training and simulator apart, and domain below all', () => {
    for (const part of ['proxy', 'control-plane', 'training', 'simulator']) {
      for (const other of ['proxy', 'control-plane', 'training', 'simulator']) {
        if (other !== part) expect(forbidden).toContain(`${part}/from-${other}.ts`);
      }
      expect(forbidden).toContain(`domain/from-${part}.ts`);
    }
  });

  it('allow no more than the import table', () => {
    for (const part of PARTS) {
      const rows = IMPORT_TABLE.filter((row) => row.part === part || row.part.startsWith(`${part}/`));
      const may = new Set(rows.flatMap((row) => row.may.map((target) => target.split('/')[0]!)));
      expect(referencesOf(part).filter((other) => other !== part && !may.has(other))).toEqual([]);
    }
  });
});
