// Judges the documents: relative links and their anchors must lead somewhere, and docs/dependencies.md must give one
// reason for each npm dependency and none for what is gone. Pure over texts. Called by tidy.test.ts.
import { posix } from 'node:path';
import type { SourceFile, Violation } from './source-file.ts';

/** GitHub's anchor of a heading: lower case, punctuation gone, blanks to hyphens. */
export function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
}

function anchorsOf(text: string): Set<string> {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  return new Set([...prose.matchAll(/^#{1,6}\s+(.+)$/gm)].map((found) => anchorOf(found[1]!)));
}

/** Relative links of the Markdown files that lead to no file, folder or heading. */
export function brokenLinks(files: readonly SourceFile[]): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const exists = (path: string) => byPath.has(path) || files.some((file) => file.path.startsWith(`${path}/`));
  return files
    .filter((file) => file.path.endsWith('.md'))
    .flatMap((file) => {
      const links = [...withoutCode(file.text).matchAll(/\]\(([^)\s]+)\)/g)].map((found) => found[1]!);
      return links.flatMap((link) => {
        if (/^[a-z]+:/.test(link)) return [];
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? file.path : posix.normalize(posix.join(posix.dirname(file.path), path));
        if (!exists(target.replace(/\/$/, ''))) return [`${file.path}: ${link} leads nowhere`];
        const text = byPath.get(target)?.text;
        const lost = anchor !== undefined && text !== undefined && !anchorsOf(text).has(anchor);
        return lost ? [`${file.path}: ${link}: no such heading`] : [];
      });
    });
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Dependencies without a row ``| `name` | reason |`` in docs/dependencies.md, and rows without a dependency. */
export function dependencyGaps(packageJson: string, document: string): Violation[] {
  const manifest = JSON.parse(packageJson) as Manifest;
  const wanted = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  const rows = new Map(
    [...document.matchAll(/^\|\s*`([^`]+)`\s*\|(.*)\|\s*$/gm)].map((found) => [found[1]!, found[2]!.trim()]),
  );
  return [
    ...wanted
      .filter((name) => (rows.get(name) ?? '') === '')
      .map((name) => `${name}: no reason in docs/dependencies.md`),
    ...[...rows.keys()]
      .filter((name) => !wanted.includes(name))
      .map((name) => `${name}: a reason, but no dependency`),
    ...Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+/.test(version))
      .map(([name, version]) => `${name}: ${version} is not an exact version`),
  ];
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

/**
 * Optional packages (binaries for other platforms) that a locked package names and the lock does not hold: `npm ci`
 * refuses such a lock. npm writes one when its registry has no copy of them; the entries are then added by hand.
 */
export function lockGaps(packageLock: string): Violation[] {
  const { packages } = JSON.parse(packageLock) as Lock;
  return Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      )
      .map((name) => `package-lock.json: ${path} names ${name}, which is not in the lock`),
  );
}
