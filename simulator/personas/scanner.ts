// A scanner that looks for what is there (route discovery, section 7.10) and what breaks (parameters with odd values).
// Labelled `scraping`: taking stock of a service by machine. Targets are made of words and odd bytes, none is a working exploit.

import type { Random } from '../../domain/random.ts';
import { PAGES } from '../catalogue.ts';
import { between, chance, exponential, letters, pick } from '../draw.ts';
import type { Client, Persona } from '../request.ts';

export interface ScanOptions {
  readonly client: Client;
  readonly ratePerSec: number;
  readonly requestsMax: number;
}

const STEMS = [
  'admin',
  'backup',
  'old',
  'test',
  'config',
  'api',
  'users',
  'export',
  'private',
  'db',
  'tmp',
  'console',
];
const ENDINGS = ['', '/', '.php', '.bak', '.zip', '.sql', '.env', '.old', '/index', '.json', '~', '.config'];
const ODD_VALUES = [
  "1'",
  '1%22',
  "x'%20or%20'1'='1",
  '..%2f..%2fname',
  '%3Cb%3E',
  '$(id)',
  '1;name',
  '%00',
  '[0]=1',
  '-1%20union',
  '{{7*7}}',
];

/** Looks for paths, then leans on one form, then again, until its requests are used up. */
export function* scanner(random: Random, options: ScanOptions): Persona {
  const { client } = options;
  const posting = between(random, 0, 0.95);
  const looksShare = pick(random, [0, 0.1, 0.5, 1]);
  let form = formTarget(random, client);
  for (let n = 0; n < options.requestsMax; n++) {
    if (chance(random, 0.005)) form = formTarget(random, client);
    const afterMs = pace(random, options.ratePerSec);
    if (chance(random, looksShare)) {
      yield { afterMs, client, method: chance(random, 0.1) ? 'HEAD' : 'GET', target: unknownTarget(random) };
    } else if (chance(random, posting)) {
      yield { afterMs, client, method: 'POST', target: form, body: `q=${oddValue(random)}` };
    } else {
      yield { afterMs, client, method: 'GET', target: `${form}?q=${oddValue(random)}&o=${oddValue(random)}` };
    }
  }
}

/** Machine pace: bunches of a few at once, then a short rest. */
function pace(random: Random, ratePerSec: number): number {
  return chance(random, 0.5) ? between(random, 1, 300 / ratePerSec) : exponential(random, 1700 / ratePerSec);
}

function formTarget(random: Random, client: Client): string {
  if (client.token !== null && chance(random, 0.5)) return `/${pick(random, ['news', 'map'])}/1/items`;
  return pick(random, ['/search', '/contact', '/search', pick(random, PAGES)]);
}

function unknownTarget(random: Random): string {
  const depth = 1 + random.int(3);
  let path = '';
  for (let i = 0; i < depth; i++)
    path += `/${chance(random, 0.6) ? pick(random, STEMS) : letters(random, 3 + random.int(6))}`;
  return path + pick(random, ENDINGS) + (chance(random, 0.15) ? `?x=${oddValue(random)}` : '');
}

function oddValue(random: Random): string {
  const draw = random.next();
  if (draw < 0.4) return letters(random, 4 + random.int(8));
  return pick(random, ODD_VALUES) + (chance(random, 0.3) ? letters(random, 5) : '');
}
