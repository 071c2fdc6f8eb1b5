#!/usr/bin/env node
// The `picket` command. Checks the Node version in plain words, then hands over to the built CLI.
// Plain JavaScript, so that any Node can read it and say what is wrong; `npm run build` links it as `npx picket`.
import { existsSync } from 'node:fs';

const major = Number(process.versions.node.split('.')[0]);
if (major < 26) {
  process.stderr.write(
    `picket: needs Node 26 or newer, this is ${process.version} (${process.execPath}).\n` +
      'Hint: run it as `npx picket …` inside the project after `npm ci`; npm then finds the pinned Node.\n',
  );
  process.exit(1);
}
const program = new URL('../dist/cli.js', import.meta.url);
if (!existsSync(program)) {
  process.stderr.write(
    'picket: not built yet: dist/cli.js is missing.\nHint: run `npm ci` or `npm run build`.\n',
  );
  process.exit(1);
}
const { main } = await import(program.href);
await main();
