// The version of this build, from package.json beside sources and bundled program alike.

import { readFileSync } from 'node:fs';

function read(): string {
  try {
    const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    return String((JSON.parse(text) as { version: unknown }).version);
  } catch {
    return 'unknown';
  }
}

export const SIDECAR_VERSION = read();
