// The version of this build, from package.json, which lies beside sources and bundled program alike.
// Told to the control plane in hello; never decides anything. Called by control/attach-uplink.ts.

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
