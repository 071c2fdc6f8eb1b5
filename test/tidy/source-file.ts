// The repository as the tidy rules see it: text files known to git or about to be, and TypeScript read into a syntax tree.
// Judges nothing itself. Called by tidy.test.ts and by the rules, which also build in-memory examples with it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A node of the ESTree syntax tree with the TypeScript nodes of oxc; fields differ by type. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface SourceFile {
  /** Path from the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** One thing that breaks a house rule: `path:line: what`. */
export type Violation = string;

const trees = new WeakMap<SourceFile, SyntaxNode>();

/** Is the file compiled by asc, not run by Node? */
export const isAssembly = (path: string): boolean =>
  /^(wasm-core|feature-engine\/kernel)\/assembly\//.test(path);

/** AssemblyScript writes decorators before functions, which TypeScript has no syntax for: blanks of the same length. */
function parsable(file: SourceFile): string {
  if (!isAssembly(file.path)) return file.text;
  return file.text.replace(/^[ \t]*@[\w.]+(\([^)\n]*\))?/gm, (decorator) => ' '.repeat(decorator.length));
}

/** Syntax tree of a TypeScript or JavaScript file; a file that does not parse throws. */
export function syntaxTree(file: SourceFile): SyntaxNode {
  const known = trees.get(file);
  if (known !== undefined) return known;
  const lang = file.path.endsWith('.ts') ? 'ts' : 'js';
  const tree = parseAst(parsable(file), { lang }, file.path) as unknown as SyntaxNode;
  trees.set(file, tree);
  return tree;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

/** Calls `visit` for every node under `node`, itself included, parents first. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode, parent?: SyntaxNode) => void): void {
  const stack: [SyntaxNode, SyntaxNode | undefined][] = [[node, undefined]];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [current, parent] = next;
    visit(current, parent);
    for (const value of Object.values(current)) {
      for (const child of Array.isArray(value) ? value : [value])
        if (isNode(child)) stack.push([child, current]);
    }
  }
}

/** Line number, from 1, of a character offset. */
export function lineAt(file: SourceFile, offset: number): number {
  let line = 1;
  for (let at = file.text.indexOf('\n'); at !== -1 && at < offset; at = file.text.indexOf('\n', at + 1))
    line++;
  return line;
}

export function isCode(path: string): boolean {
  return /\.(ts|mjs|cjs|js)$/.test(path);
}

/** Machine-made or recorded: exempt from the house numbers. */
export function isGenerated(path: string): boolean {
  return /^(proto\/gen|bench\/results|test\/fixtures)\/|\/fixtures\/|^package-lock\.json$/.test(path);
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/');
}

/** Every text file that git tracks or would add; binary files (a NUL byte) are left out. */
export function readRepository(): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
  });
  const files: SourceFile[] = [];
  for (const path of new Set(listed.toString('utf8').split('\0').filter(Boolean))) {
    let bytes: Buffer;
    try {
      bytes = readFileSync(join(ROOT, path));
    } catch {
      continue; // deleted but not yet committed, or a link to a folder
    }
    if (!bytes.includes(0)) files.push({ path, text: bytes.toString('utf8') });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
