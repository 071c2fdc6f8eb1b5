// Where the package lies: the folder of its package.json, found upwards from this file, so that it is the same from sources
// and from the bundle in dist/.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function find(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json of picket is missing above its own program');
    folder = parent;
  }
  return folder;
}

export const PACKAGE_ROOT = find();
