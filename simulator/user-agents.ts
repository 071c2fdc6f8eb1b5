// User-Agent strings in use, by kind of client, most common first (drawn by Zipf weights, s = 1.1).
// Browsers, mobile apps, integrations, crawlers and feed readers; attackers draw from the users' pools.

import type { Random } from '../domain/random.ts';
import { zipf } from './draw.ts';
import type { ClientKind } from './request.ts';

const PLATFORMS = [
  'Windows NT 10.0; Win64; x64',
  'Linux; Android 10; K',
  'Macintosh; Intel Mac OS X 10_15_7',
  'X11; Linux x86_64',
];
const chrome = (platform: string, version: number) =>
  `Mozilla/5.0 (${platform}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`;
const firefox = (platform: string, version: number) =>
  `Mozilla/5.0 (${platform}; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`;
const iphone = (os: string, version: string) =>
  `Mozilla/5.0 (iPhone; CPU iPhone OS ${os} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ` +
  `Version/${version} Mobile/15E148 Safari/604.1`;

const BROWSERS = [
  ...[140, 139, 141, 138].flatMap((version) => PLATFORMS.map((platform) => chrome(platform, version))),
  iphone('18_6', '18.6'),
  iphone('17_5', '17.5'),
  firefox('Windows NT 10.0; Win64; x64', 143),
  firefox('X11; Linux x86_64', 142),
  `${chrome(PLATFORMS[0] as string, 140)} Edg/140.0.0.0`,
  `${chrome(PLATFORMS[0] as string, 139)} OPR/122.0.0.0`,
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
    'Version/18.6 Safari/605.1.15',
];

const APPS = [
  'okhttp/4.12.0',
  'Shopping/6.2.1 (iPhone; iOS 18.6; Scale/3.00)',
  'TaxiRider/311 CFNetwork/1568.300.101 Darwin/24.2.0',
  'okhttp/5.1.0',
  'CricScore/4.8 (Android 15; Pixel 8)',
  'TaxiRider/310 CFNetwork/1498.700.2 Darwin/23.6.0',
  'Dalvik/2.1.0 (Linux; U; Android 14; SM-S921B Build/UP1A.231005.007)',
  'Shopping/6.1.9 (iPad; iOS 17.7; Scale/2.00)',
  'okhttp/4.9.3',
  'Dart/3.9 (dart:io)',
];

const SCRIPTS = [
  'python-requests/2.32.5',
  'Go-http-client/1.1',
  'curl/8.14.1',
  'axios/1.11.0',
  'Java-http-client/21.0.8',
  'PostmanRuntime/7.45.0',
  'python-requests/2.31.0',
];

export const CRAWLER_AGENTS = [
  'Mozilla/5.0 (compatible; Searchbot/2.1; +http://search.example/bot.html)',
  'Mozilla/5.0 (compatible; linkindex/7.0; +http://linkindex.example/robot/)',
  'Spider/4.0(+http://spider.example/docs)',
];

export const READER_AGENTS = [
  'FeedReader/3.20 (https://feeds.example; 12 subscribers)',
  'UptimeCheck/2.4',
  'Tiny RSS/23.07',
];

const POOLS: Record<ClientKind, readonly string[]> = { browser: BROWSERS, app: APPS, script: SCRIPTS };

/** A string of this kind of client. */
export function drawAgent(random: Random, kind: ClientKind): string {
  const pool = POOLS[kind];
  return pool[zipf(random, pool.length, 1.1)] as string;
}

/** Any string of the users' pools: 60 % browsers, 35 % apps, 5 % integrations. */
export function drawAnyAgent(random: Random): string {
  return drawAgent(random, drawKind(random));
}

export function drawKind(random: Random): ClientKind {
  const draw = random.next();
  return draw < 0.6 ? 'browser' : draw < 0.95 ? 'app' : 'script';
}
