// Reads the imports of a file and judges them by the import table; also finds files that nothing reaches.
// Pure over SourceFile lists. Called by tidy.test.ts.
import { posix } from 'node:path';
import { FREE_PARTS, type ImportRow, TEST_PACKAGES } from './import-table.ts';
import {
  isAssembly,
  isCode,
  isGenerated,
  isTest,
  lineAt,
  type SourceFile,
  type SyntaxNode,
  syntaxTree,
  type Violation,
  walk,
} from './source-file.ts';

export interface Import {
  /** As written: './x.ts', 'node:fs', '@grpc/grpc-js'. */
  readonly specifier: string;
  readonly line: number;
}

const known = new WeakMap<SourceFile, Import[]>();

/** Static, dynamic and type imports and re-exports, in no promised order. */
export function importsOf(file: SourceFile): Import[] {
  const before = known.get(file);
  if (before !== undefined) return before;
  const found: Import[] = [];
  walk(syntaxTree(file), (node) => {
    if (!/^(Import(Declaration|Expression)|TSImportType|Export(Named|All)Declaration)$/.test(node.type))
      return;
    const source = (node['source'] ?? node['argument']) as SyntaxNode | null | undefined;
    const specifier = source?.['value'] ?? (source?.['literal'] as SyntaxNode | undefined)?.['value'];
    if (typeof specifier === 'string') found.push({ specifier, line: lineAt(file, node.start) });
  });
  known.set(file, found);
  return found;
}

const under = (path: string, part: string) => path === part || path.startsWith(`${part}/`);
const packageName = (specifier: string) => /^(@[^/]+\/)?[^/]+/.exec(specifier)![0];
const isLocal = (specifier: string) => specifier.startsWith('.');

/** Path of a local import from the root; the AssemblyScript compiler wants its imports without `.ts`. */
export function resolveLocal(from: string, specifier: string): string {
  const ending = isAssembly(from) ? '.ts' : '';
  return posix.normalize(posix.join(posix.dirname(from), specifier + ending));
}

/** Outside the parts of the product: may import what it likes. */
const isFree = (path: string) => !path.includes('/') || FREE_PARTS.some((part) => under(path, part));

/** The row that governs a path: the longest part that holds it. */
export function rowFor(path: string, table: readonly ImportRow[]): ImportRow | undefined {
  const rows = table.filter((row) => under(path, row.part));
  return rows.sort((a, b) => b.part.length - a.part.length)[0];
}

/** Permissions that were used, as `part>target`; filled by checkImports, read by staleRows. */
export type UsedPermissions = Set<string>;

interface Judgement {
  readonly file: SourceFile;
  readonly row: ImportRow;
  readonly used: UsedPermissions;
}

function judgeLocal(
  specifier: string,
  paths: ReadonlySet<string>,
  { file, row, used }: Judgement,
): string | undefined {
  const target = resolveLocal(file.path, specifier);
  if (!isCode(target))
    return target.endsWith('.json') ? undefined : `${specifier}: a local import ends in .ts`;
  if (!paths.has(target)) return `${specifier}: no such file`;
  const home = row.part.endsWith('.ts') ? posix.dirname(row.part) : row.part;
  if (under(target, home)) return undefined;
  const allowed = row.may.find((part) => under(target, part));
  if (allowed !== undefined) {
    used.add(`${row.part}>${allowed}`);
    return undefined;
  }
  const top = row.part.split('/')[0]!;
  // A test may use all of its own part, and what the parts it may import offer to tests.
  const offered = row.may.some((part) => under(target, `${part.split('/')[0]}/testing`));
  return isTest(file.path) && (under(target, top) || offered)
    ? undefined
    : `${row.part} may not import ${target}`;
}

function judgePackage(specifier: string, { file, row, used }: Judgement): string | undefined {
  const isUnitTest = file.path.endsWith('.test.ts') || file.path.includes('/testing/');
  if (specifier.startsWith('node:'))
    return row.node || isUnitTest ? undefined : `${row.part} may not import ${specifier}`;
  const name = packageName(specifier);
  if (isUnitTest && (TEST_PACKAGES as readonly string[]).includes(name)) return undefined;
  if (name in row.npm) {
    used.add(`${row.part}>${name}`);
    return undefined;
  }
  return `${row.part} may not import the package ${name}`;
}

/** Forbidden and unresolvable imports of the product's parts. */
export function checkImports(
  files: readonly SourceFile[],
  table: readonly ImportRow[],
  used: UsedPermissions = new Set(),
): Violation[] {
  const paths = new Set(files.map((file) => file.path));
  return files
    .filter((file) => isCode(file.path))
    .flatMap((file) => {
      const row = rowFor(file.path, table);
      if (row === undefined)
        return isFree(file.path) || under(file.path, 'bin')
          ? []
          : [`${file.path}: no row of the import table holds it`];
      return importsOf(file).flatMap(({ specifier, line }) => {
        const judgement = { file, row, used };
        const what = isLocal(specifier)
          ? judgeLocal(specifier, paths, judgement)
          : judgePackage(specifier, judgement);
        return what === undefined ? [] : [`${file.path}:${line}: ${what}`];
      });
    });
}

/** Rows without a file, and permissions that no file uses. */
export function staleRows(files: readonly SourceFile[], table: readonly ImportRow[]): Violation[] {
  const used: UsedPermissions = new Set();
  checkImports(files, table, used);
  return table.flatMap((row) => {
    if (!files.some((file) => under(file.path, row.part))) return [`${row.part}: no such file or folder`];
    const permissions = [...row.may, ...Object.keys(row.npm)];
    return permissions
      .filter((name) => !used.has(`${row.part}>${name}`))
      .map((name) => `${row.part} may import ${name}, but no file does`);
  });
}

/** Run-time dependencies that no file of the product imports; `tools` are used in another way than by import. */
export function unusedDependencies(
  files: readonly SourceFile[],
  packageJson: string,
  tools: readonly string[] = [],
): Violation[] {
  const manifest = JSON.parse(packageJson) as { dependencies?: Readonly<Record<string, string>> };
  const product = files.filter((file) => isCode(file.path) && !isTest(file.path) && !isFree(file.path));
  const imported = new Set(
    product.flatMap((file) => importsOf(file).map(({ specifier }) => packageName(specifier))),
  );
  return Object.keys(manifest.dependencies ?? {})
    .filter((name) => !imported.has(name) && !tools.includes(name))
    .map((name) => `${name}: a dependency that no file of the product imports`);
}

/** Files named in strings (worker entries, script lists) count as reached, like imports. */
function mentionedFiles(file: SourceFile, paths: ReadonlySet<string>): string[] {
  const strings = [...file.text.matchAll(/['"`]([\w./-]+\.(?:ts|mjs|js))['"`]/g)].map((found) => found[1]!);
  return strings.flatMap((text) =>
    [resolveLocal(file.path, text), posix.normalize(text)].filter((path) => paths.has(path)),
  );
}

/**
 * Code files that neither an import chain nor a mention reaches from `roots` (entries), from package.json, from the
 * documents or from a test.
 */
export function deadFiles(files: readonly SourceFile[]): Violation[] {
  const code = new Map(files.filter((file) => isCode(file.path)).map((file) => [file.path, file]));
  const paths = new Set(code.keys());
  const entryTexts = files.filter((file) =>
    /(^package\.json|\.md|^\.ci\/run|asconfig\.json|Dockerfile)$/.test(file.path),
  );
  const queue = [...paths].filter(
    (path) =>
      /\.test\.ts$|^[^/]+$/.test(path) ||
      entryTexts.some(
        (file) => file.text.includes(path) || file.text.includes(`"${posix.basename(path)}"`),
      ) ||
      entryTexts.some((file) => file.path.endsWith('asconfig.json') && path.endsWith('assembly/index.ts')),
  );
  const reached = new Set(queue);
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const file = code.get(path)!;
    const locals = importsOf(file).filter(({ specifier }) => isLocal(specifier));
    const next = [
      ...locals.map(({ specifier }) => resolveLocal(file.path, specifier)),
      ...mentionedFiles(file, paths),
    ];
    for (const target of next) {
      if (reached.has(target) || !paths.has(target)) continue;
      reached.add(target);
      queue.push(target);
    }
  }
  return [...paths]
    .filter((path) => !reached.has(path) && !isGenerated(path))
    .map((path) => `${path}: nothing imports or names it`);
}
