// House rules as tests: sizes, names, manners, import directions, dead files, links, dependencies, banned words.
// Every rule first has to catch an example that breaks it, so a rule that cannot fail does not pass either.
// When one fails, mend the file it names; change a number or a row only with a reason in the commit.
import { describe, expect, it } from 'vitest';
import { BANNED_WORDS, findBannedWords } from './tidy/banned-words.ts';
import { anchorOf, brokenLinks, dependencyGaps, lockGaps } from './tidy/documents.ts';
import { HOUSE_RULES } from './tidy/house-rules.ts';
import { IMPORT_TABLE, type ImportRow } from './tidy/import-table.ts';
import { checkImports, deadFiles, staleRows, unusedDependencies } from './tidy/imports.ts';
import { readRepository } from './tidy/source-file.ts';

const repository = readRepository();
const textOf = (path: string) => repository.find((file) => file.path === path)?.text ?? '';

describe.each(HOUSE_RULES)('$name', (rule) => {
  it('catches an example', () => {
    expect(rule.applies(rule.bad.path)).toBe(true);
    expect(rule.check(rule.bad)).toHaveLength(1);
  });

  const judged = repository.filter((file) => rule.applies(file.path));

  it('holds', () => {
    expect(judged.filter((file) => rule.exempt?.[file.path] === undefined).flatMap(rule.check)).toEqual([]);
  });

  it('has no exemption that is not needed', () => {
    const broken = judged.filter((file) => rule.check(file).length > 0).map((file) => file.path);
    expect(Object.keys(rule.exempt ?? {}).filter((path) => !broken.includes(path))).toEqual([]);
  });
});

describe('banned words and paths', () => {
  it.each(BANNED_WORDS)('catches $bad', ({ bad }) => {
    expect(findBannedWords({ path: 'docs/x.md', text: `first\n${bad}\n` })).toHaveLength(1);
  });

  it('hold', () => {
    expect(repository.flatMap((file) => findBannedWords(file))).toEqual([]);
  });
});

describe('import directions', () => {
  const row: ImportRow = { part: 'proxy', may: ['domain'], npm: { pino: 'logs' }, node: true };
  const domain = { path: 'domain/a.ts', text: 'export const a = 1;' };
  const judge = (text: string, path = 'proxy/x.ts') =>
    checkImports([domain, { path, text }], [row, { part: 'domain', may: [], npm: {}, node: false }]);

  it.each([
    ["import { b } from '../control-plane/b.ts';", 'no such file'],
    ["export * from '../domain/a.js';", 'no such file'],
    ["import type { a } from '../domain/a';", 'ends in .ts'],
    ["const u = await import('undici');", 'may not import the package undici'],
    ["type T = import('zod').ZodType;", 'may not import the package zod'],
  ])('catches %s', (text, reason) => {
    expect(judge(text)).toEqual([expect.stringContaining(reason)]);
  });

  it('catches a part that looks up, a node module in domain, and a folder without a row', () => {
    expect(judge("import { x } from '../proxy/x.ts';", 'domain/b.ts')).toHaveLength(1);
    expect(judge("import 'node:fs';", 'domain/b.ts')).toHaveLength(1);
    expect(judge('', 'nowhere/b.ts')).toHaveLength(1);
    expect(
      judge("import { a } from '../domain/a.ts';\nimport { pino } from 'pino';\nimport 'node:fs';"),
    ).toEqual([]);
  });

  it('catches stale rows and permissions', () => {
    const files = [domain, { path: 'proxy/x.ts', text: "import { pino } from 'pino';" }];
    const table = [row, { part: 'injector', may: [], npm: {}, node: true }];
    expect(staleRows(files, table)).toEqual([
      'proxy may import domain, but no file does',
      'injector: no such file or folder',
    ]);
  });

  it('hold', () => {
    expect(checkImports(repository, IMPORT_TABLE)).toEqual([]);
  });

  it('have no stale rows', () => {
    expect(staleRows(repository, IMPORT_TABLE)).toEqual([]);
  });
});

describe('dead files', () => {
  it('are caught', () => {
    const files = [
      { path: 'package.json', text: '{"scripts": {"x": "node scripts/entry.ts"}}' },
      {
        path: 'scripts/entry.ts',
        text: "import './used.ts';\nconst worker = new URL('./worker.ts', import.meta.url);",
      },
      { path: 'scripts/used.ts', text: '' },
      { path: 'scripts/worker.ts', text: '' },
      { path: 'scripts/dead.ts', text: "import './used.ts';" },
    ];
    expect(deadFiles(files)).toEqual(['scripts/dead.ts: nothing imports or names it']);
  });

  it('do not exist', () => {
    expect(deadFiles(repository)).toEqual([]);
  });
});

describe('documents', () => {
  it('catch a link that leads nowhere, and a lost heading', () => {
    const files = [
      {
        path: 'docs/a.md',
        text: '# One, two\n[x](b.md) [y](#one-two) [z](https://example.org) `[n](no.md)`\n',
      },
      { path: 'docs/b.md', text: '[up](../README.md)\n[lost](a.md#three)\n```\n[code](no.md)\n```\n' },
    ];
    expect(brokenLinks(files)).toEqual([
      'docs/b.md: ../README.md leads nowhere',
      'docs/b.md: a.md#three: no such heading',
    ]);
    expect(anchorOf('`picket ctl`: modes & more')).toBe('picket-ctl-modes--more');
  });

  it('have no broken links', () => {
    expect(brokenLinks(repository)).toEqual([]);
  });

  it('give a reason for each dependency: gaps are caught', () => {
    const manifest = '{"dependencies": {"a": "1.0.0", "b": "^1.0.0"}, "devDependencies": {"c": "1.0.0"}}';
    expect(dependencyGaps(manifest, '| `a` | why |\n| `b` | why |\n| `c` |  |\n| `d` | gone |\n')).toEqual([
      'c: no reason in docs/dependencies.md',
      'd: a reason, but no dependency',
      'b: ^1.0.0 is not an exact version',
    ]);
  });

  it('name no dependency that nobody imports: one is caught', () => {
    const files = [
      { path: 'proxy/a.ts', text: "import { pino } from 'pino';" },
      { path: 'test/b.test.ts', text: "import 'yaml';" },
    ];
    const manifest = '{"dependencies": {"pino": "1.0.0", "yaml": "1.0.0", "node": "26.0.0"}}';
    expect(unusedDependencies(files, manifest, ['node'])).toEqual([expect.stringContaining('yaml')]);
  });

  it('name no dependency that nobody imports', () => {
    expect(unusedDependencies(repository, textOf('package.json'), ['node'])).toEqual([]);
  });

  it('have a lock that npm ci takes: a gap is caught', () => {
    const a = { optionalDependencies: { 'a-linux': '1.0.0', 'a-mac': '1.0.0' } };
    const lock = { packages: { 'node_modules/a': a, 'node_modules/a-linux': {} } };
    expect(lockGaps(JSON.stringify(lock))).toEqual([expect.stringContaining('a-mac')]);
  });

  it('have a lock that npm ci takes', () => {
    expect(lockGaps(textOf('package-lock.json'))).toEqual([]);
  });

  it('give a reason for each dependency', () => {
    expect(dependencyGaps(textOf('package.json'), textOf('docs/dependencies.md'))).toEqual([]);
  });
});
