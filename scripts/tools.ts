// `npm run tools [-- name… | --for tests]`: fetches the optional tools, pinned, into the ignored folder .tools. What is
// already there in the pinned version is left alone; one failing tool does not stop the others.
// Tests and benches ask findTool() where a tool lies. None of these tools is a dependency of Picket.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ToolBox } from './tool-box.ts';
import { TOOL_RECIPES, type ToolRecipe } from './tool-recipes.ts';

export const TOOLS_DIR = fileURLToPath(new URL('../.tools', import.meta.url));
const VERSIONS_FILE = join(TOOLS_DIR, 'versions.json');
const INSTALL_TIMEOUT_MS = 15 * 60_000;
/** Where Debian puts servers; not always on the PATH of a user. */
const EXTRA_PATH = ['/usr/sbin', '/usr/local/sbin'];

function onPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...EXTRA_PATH];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/**
 * Absolute path of an optional tool (a binary, or a folder for packages and schemas), or undefined when it is absent.
 * Pinned tools are looked for in .tools only, Debian's on PATH. An unknown name is a mistake of the caller and throws.
 */
export function findTool(name: string): string | undefined {
  const recipe = TOOL_RECIPES.find((row) => row.name === name);
  if (recipe === undefined) throw new Error(`no tool is called ${name}: see scripts/tool-recipes.ts`);
  if (recipe.place === undefined) return onPath(recipe.name);
  const place = join(TOOLS_DIR, recipe.place);
  return existsSync(place) ? place : undefined;
}

/** The tools that are not there, each with what is skipped for want of it. */
export function absentTools(): ToolRecipe[] {
  return TOOL_RECIPES.filter((recipe) => findTool(recipe.name) === undefined);
}

function readVersions(): Record<string, string> {
  try {
    return JSON.parse(readFileSync(VERSIONS_FILE, 'utf8')) as Record<string, string>;
  } catch {
    return {}; // absent or cut: everything is fetched again
  }
}

function writeVersion(name: string, version: string): void {
  const versions = { ...readVersions(), [name]: version };
  mkdirSync(TOOLS_DIR, { recursive: true });
  writeFileSync(VERSIONS_FILE, `${JSON.stringify(versions, null, 2)}\n`);
}

const say = (line: string) => process.stdout.write(`${line}\n`);

async function fetchOne(recipe: ToolRecipe, box: ToolBox, title: string): Promise<string | undefined> {
  if (recipe.install === undefined) {
    const found = onPath(recipe.name);
    say(`${title}: ${found === undefined ? 'absent; it comes with Debian' : `found at ${found}`}`);
    return found === undefined ? `apt-get install -y ${recipe.name}` : undefined;
  }
  if (findTool(recipe.name) !== undefined && readVersions()[recipe.name] === recipe.version) {
    say(`${title}: there already`);
    return undefined;
  }
  const startedMs = performance.now();
  say(`${title}: fetching…`);
  try {
    await recipe.install(box);
    if (findTool(recipe.name) === undefined) throw new Error(`nothing came to ${recipe.place}`);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    say(`${title}: failed: ${reason}`);
    return reason.split('\n')[0]!;
  }
  writeVersion(recipe.name, recipe.version);
  say(`${title}: done in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return undefined;
}

function choose(args: readonly string[]): ToolRecipe[] {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { for: { type: 'string' } },
  });
  const unknown = positionals.find((name) => !TOOL_RECIPES.some((recipe) => recipe.name === name));
  if (unknown !== undefined) {
    throw new Error(
      `unknown tool ${unknown}; known: ${TOOL_RECIPES.map((recipe) => recipe.name).join(', ')}`,
    );
  }
  if (values.for !== undefined && values.for !== 'tests' && values.for !== 'bench') {
    throw new Error(`--for ${values.for}: expected tests or bench`);
  }
  return TOOL_RECIPES.filter(
    (recipe) =>
      (positionals.length === 0 || positionals.includes(recipe.name)) &&
      (values.for === undefined || recipe.use === values.for),
  );
}

async function main(args: readonly string[]): Promise<number> {
  let recipes: ToolRecipe[];
  try {
    recipes = choose(args);
  } catch (thrown) {
    process.stderr.write(`tools: ${(thrown as Error).message}\n`);
    return 2;
  }
  const box = new ToolBox({ folder: TOOLS_DIR, env: process.env, timeoutMs: INSTALL_TIMEOUT_MS });
  const failed: string[] = [];
  try {
    for (const [index, recipe] of recipes.entries()) {
      const problem = await fetchOne(
        recipe,
        box,
        `[${index + 1}/${recipes.length}] ${recipe.name} ${recipe.version}`,
      );
      if (problem !== undefined)
        failed.push(`  ${recipe.name}: ${problem}\n    without it: no ${recipe.without}`);
    }
  } finally {
    box.close();
  }
  if (failed.length > 0) say(`Absent, ${failed.length} of ${recipes.length}:\n${failed.join('\n')}`);
  else say(`All ${recipes.length} tools are there.`);
  return failed.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
