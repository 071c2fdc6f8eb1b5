// House numbers and manners (CONTRIBUTING.md, "House rules") as data: each rule with a file that breaks it, so the test
// can show that the rule is able to fail. Import directions are in import-table.ts. Called by tidy.test.ts.
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

const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 60;
const CODE_LINE_CHARS_MAX = 110;
const COMMENT_LINE_CHARS_MAX = 130;
const PARAMETERS_MAX = 4;
const FOLDER_DEPTH_MAX = 2;
const HEADER_LINES_MIN = 2;
const HEADER_LINES_MAX = 6;

export interface HouseRule {
  readonly name: string;
  readonly applies: (path: string) => boolean;
  readonly check: (file: SourceFile) => Violation[];
  /** Files for which the rule is wrong, each with the reason; one that needs no exemption any more fails. */
  readonly exempt?: Readonly<Record<string, string>>;
  /** A file that must be found guilty exactly once. */
  readonly bad: SourceFile;
}

const ownCode = (path: string) => isCode(path) && !isGenerated(path);
const lines = (file: SourceFile) => file.text.replace(/\n$/, '').split('\n');
const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

function nodeViolations(
  file: SourceFile,
  judge: (node: SyntaxNode, parent?: SyntaxNode) => string | undefined,
) {
  const found: Violation[] = [];
  walk(syntaxTree(file), (node, parent) => {
    const what = judge(node, parent);
    if (what !== undefined) found.push(`${file.path}:${lineAt(file, node.start)}: ${what}`);
  });
  return found;
}

/** `describe('…', () => {…})` is a heading, not a function: what stands in it is measured by itself. */
function isDescribeBody(parent: SyntaxNode | undefined): boolean {
  if (parent?.type !== 'CallExpression') return false;
  const callee = parent['callee'] as SyntaxNode;
  const inner = callee.type === 'CallExpression' ? (callee['callee'] as SyntaxNode) : callee;
  const head = inner.type === 'MemberExpression' ? (inner['object'] as SyntaxNode) : inner;
  return head['name'] === 'describe';
}

function headerLines(file: SourceFile): number {
  const all = lines(file).filter((line, index) => !(index === 0 && line.startsWith('#!')));
  const end = all.findIndex((line) => !line.startsWith('//'));
  return end === -1 ? all.length : end;
}

const NUMBERS: readonly HouseRule[] = [
  {
    name: `a file has at most ${FILE_LINES_MAX} lines`,
    applies: ownCode,
    check: (file) => {
      const count = lines(file).length;
      return count > FILE_LINES_MAX ? [`${file.path}: ${count} lines`] : [];
    },
    bad: { path: 'domain/long.ts', text: '// a\n'.repeat(FILE_LINES_MAX + 1) },
  },
  {
    name: `a line has at most ${CODE_LINE_CHARS_MAX} characters, a comment line ${COMMENT_LINE_CHARS_MAX}`,
    applies: ownCode,
    check: (file) =>
      lines(file).flatMap((line, index) => {
        const max = /^\s*(\/\/|\/?\*)/.test(line) ? COMMENT_LINE_CHARS_MAX : CODE_LINE_CHARS_MAX;
        return line.length > max ? [`${file.path}:${index + 1}: ${line.length} characters`] : [];
      }),
    bad: { path: 'domain/wide.ts', text: `const a = '${'x'.repeat(CODE_LINE_CHARS_MAX)}';\n` },
  },
  {
    name: `a function has at most ${FUNCTION_LINES_MAX} lines`,
    applies: ownCode,
    check: (file) =>
      nodeViolations(file, (node, parent) => {
        if (!FUNCTIONS.has(node.type) || isDescribeBody(parent)) return undefined;
        const count = lineAt(file, node.end) - lineAt(file, node.start) + 1;
        return count > FUNCTION_LINES_MAX ? `a function of ${count} lines` : undefined;
      }),
    bad: { path: 'domain/tall.ts', text: `const f = () => {${'\n'.repeat(FUNCTION_LINES_MAX)}};\n` },
  },
  {
    name: `a function takes at most ${PARAMETERS_MAX} parameters`,
    // WebAssembly passes numbers only: there is no options object.
    applies: (path) => ownCode(path) && !isAssembly(path),
    check: (file) =>
      nodeViolations(file, (node) => {
        const count = FUNCTIONS.has(node.type) ? (node['params'] as unknown[]).length : 0;
        return count > PARAMETERS_MAX ? `a function of ${count} parameters` : undefined;
      }),
    exempt: { 'domain/siphash.ts': 'called for every request; the shape of its twin among the kernels' },
    bad: { path: 'domain/many.ts', text: 'export const f = (a: 1, b: 1, c: 1, d: 1, e: 1) => a + b;\n' },
  },
  {
    name: `folders are at most ${FOLDER_DEPTH_MAX} deep inside a part`,
    applies: ownCode,
    check: (file) => {
      const depth = file.path.split('/').length - 2;
      return depth > FOLDER_DEPTH_MAX ? [`${file.path}: ${depth} folders deep`] : [];
    },
    bad: { path: 'proxy/a/b/c/d.ts', text: '' },
  },
  {
    name: `a file opens with ${HEADER_LINES_MIN}-${HEADER_LINES_MAX} comment lines`,
    applies: (path) => ownCode(path) && !/^(vitest\.config\.ts)$/.test(path) && !isTest(path),
    check: (file) => {
      const count = headerLines(file);
      const fits = count >= HEADER_LINES_MIN && count <= HEADER_LINES_MAX;
      return fits ? [] : [`${file.path}: opens with ${count} comment lines`];
    },
    bad: { path: 'domain/bare.ts', text: '// Only one line.\nexport const a = 1;\n' },
  },
];

const MANNERS: readonly HouseRule[] = [
  {
    name: 'no default exports',
    applies: (path) => ownCode(path) && path !== 'vitest.config.ts' && !path.startsWith('bench/k6/'),
    check: (file) =>
      nodeViolations(file, (node) =>
        node.type === 'ExportDefaultDeclaration' ? 'a default export' : undefined,
      ),
    bad: { path: 'domain/one.ts', text: 'export default 1;\n' },
  },
  {
    name: 'no `any`',
    applies: ownCode,
    check: (file) => nodeViolations(file, (node) => (node.type === 'TSAnyKeyword' ? '`any`' : undefined)),
    bad: { path: 'domain/loose.ts', text: 'export const a = 1 as any;\n' },
  },
  {
    name: 'no file is called utils, misc, manager or helpers; names are kebab-case',
    applies: ownCode,
    check: ({ path }) => {
      const name = path
        .split('/')
        .at(-1)!
        .replace(/(\.test|\.bench|\.config|\.cases)?\.\w+$/, '');
      const good =
        /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && !/(^|-)(utils?|misc|managers?|helpers?)(-|$)/.test(name);
      return good ? [] : [`${path}: give it a name that says what is in it`];
    },
    bad: { path: 'domain/string-utils.ts', text: '' },
  },
  {
    name: 'plain requests never go through http-proxy: `.web(` is forbidden',
    applies: (path) => isCode(path) && /^(proxy|cli|simulator|control-plane)\//.test(path),
    check: (file) =>
      nodeViolations(file, (node) => {
        const callee = node.type === 'CallExpression' ? (node['callee'] as SyntaxNode) : undefined;
        const property = callee?.type === 'MemberExpression' ? (callee['property'] as SyntaxNode) : undefined;
        return property?.['name'] === 'web' ? '.web( lets request smuggling through; use undici' : undefined;
      }),
    bad: { path: 'proxy/forward/old.ts', text: 'proxy.web(request, response);\n' },
  },
  {
    name: 'process.env is read in main and config files only',
    applies: (path) =>
      /^(domain|wasm-core|feature-engine|proto|proxy|control-plane|training|simulator|cli)\//.test(path) &&
      ownCode(path) &&
      !/\/(main|config)\.ts$|\.test\.ts$/.test(path),
    check: (file) =>
      nodeViolations(file, (node) => {
        const names = [node['object'] as SyntaxNode | undefined, node['property'] as SyntaxNode | undefined];
        const isEnv = node.type === 'MemberExpression' && names[0]?.['name'] === 'process';
        return isEnv && names[1]?.['name'] === 'env' ? 'process.env' : undefined;
      }),
    bad: { path: 'proxy/score.ts', text: 'export const home = process.env.HOME;\n' },
  },
];

export const HOUSE_RULES: readonly HouseRule[] = [...NUMBERS, ...MANNERS];
