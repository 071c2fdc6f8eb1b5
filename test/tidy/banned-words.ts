// Words and paths that have no place in a committed file, each with its reason and a line that must be caught.
// The patterns are put together from pieces so that this file does not catch itself. Called by tidy.test.ts.
import { isGenerated, type SourceFile, type Violation } from './source-file.ts';

export interface BannedWord {
  readonly pattern: RegExp;
  readonly reason: string;
  readonly bad: string;
  /** Files for which the word is right. */
  readonly except?: RegExp;
}

const dot = '\\.';
const host = (...labels: string[]) => new RegExp(`\\b${labels.join(dot)}\\b`);
const path = (...parts: string[]) => new RegExp(`(^|[^\\w.])/${parts.join('/')}`);
const REGISTRY = 'name the package and its version; where it comes from is the machine’s business';
const MACHINE = 'a path of one machine: resolve from import.meta.url or use os.tmpdir()';
const WORDS = 'see the vocabulary in CONTRIBUTING.md';

export const BANNED_WORDS: readonly BannedWord[] = [
  { pattern: path('work', '(main|shared|[.])'), reason: MACHINE, bad: `open('/${'work'}/main/x')` },
  { pattern: path('root', ''), reason: MACHINE, bad: `open('/${'root'}/x')` },
  { pattern: path('home', '\\w+/'), reason: MACHINE, bad: `open('/${'home'}/me/x')` },
  { pattern: path('tmp', ''), reason: MACHINE, bad: `open('/${'tmp'}/x')` },
  {
    pattern: host('registry', 'npmjs', 'org'),
    reason: REGISTRY,
    bad: ['https://registry', 'npmjs', 'org/x'].join('.'),
  },
  { pattern: host('pypi', 'org'), reason: REGISTRY, bad: ['https://pypi', 'org/simple'].join('.') },
  { pattern: host('pythonhosted', 'org'), reason: REGISTRY, bad: ['files.pythonhosted', 'org'].join('.') },
  { pattern: host('proxy', 'golang', 'org'), reason: REGISTRY, bad: ['proxy', 'golang', 'org'].join('.') },
  { pattern: host('deb', 'debian', 'org'), reason: REGISTRY, bad: ['deb', 'debian', 'org'].join('.') },
  {
    pattern: new RegExp(`\\b(TO${'DO'}|FIX${'ME'})\\b`),
    reason: 'finish it or open an issue',
    bad: `// TO${'DO'} x`,
  },
  {
    pattern: new RegExp(`\\b(white|black)${'list'}`, 'i'),
    reason: 'say allow-list or deny-list',
    bad: `white${'list'}`,
  },
  { pattern: new RegExp(`\\bcham${'pion'}\\b`, 'i'), reason: WORDS, bad: `the cham${'pion'} model` },
  { pattern: new RegExp(`\\bshadow ${'mode'}`, 'i'), reason: WORDS, bad: `in shadow ${'mode'}` },
];

/** `path:line: word: reason` for every banned word in a file. */
export function findBannedWords(file: SourceFile, words: readonly BannedWord[] = BANNED_WORDS): Violation[] {
  if (isGenerated(file.path) || file.path === 'LICENSE') return [];
  const active = words.filter((word) => word.except?.test(file.path) !== true);
  return file.text.split('\n').flatMap((line, index) =>
    active.flatMap((word) => {
      const found = word.pattern.exec(line);
      return found === null ? [] : [`${file.path}:${index + 1}: ${found[0].trim()}: ${word.reason}`];
    }),
  );
}
