// What the sample API holds: items, orders and their owners, the pages and files of its web site, and how tokens name users.
// Pure functions of numbers, so that the live server, offline runs and the personas agree without talking.

import type { Random } from '../domain/random.ts';
import { hexText } from './draw.ts';

export const ITEM_COUNT = 50_000;
export const ORDER_COUNT = 20_000;
export const ITEMS_PER_PAGE = 20;
const OWNERS = 2_000;

/** User number that owns an order. */
export function orderOwner(order: number): number {
  return order % OWNERS;
}

/** The k-th order of a user. */
export function orderOf(user: number, k: number): number {
  return (user % OWNERS) + OWNERS * (k % (ORDER_COUNT / OWNERS));
}

/** A UUID that names the user's profile. */
export function profileId(user: number): string {
  const digits = (Math.imul(user + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
  return `${digits}-51ce-4a17-8b3d-${user.toString(16).padStart(12, '0')}`;
}

/** Opaque or JWT-shaped bearer token of a user; each call gives another one. */
export function newToken(random: Random, user: number, jwt: boolean): string {
  if (!jwt) return `u${user.toString(36)}.${hexText(random, 32)}`;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = part({ sub: `u${user.toString(36)}`, jti: hexText(random, 8) });
  return `${part({ alg: 'RS256' })}.${claims}.${hexText(random, 40)}`;
}

const OPAQUE = /^u([0-9a-z]+)\.[0-9a-f]{32}$/;

/** User number of a token, or -1 if it is none of ours. Reads, verifies nothing: it is a sample API. */
export function userOfToken(token: string): number {
  const opaque = OPAQUE.exec(token);
  if (opaque !== null) return Number.parseInt(opaque[1] as string, 36);
  const payload = token.split('.')[1];
  if (payload === undefined || !token.startsWith('eyJ')) return -1;
  const subject = /"sub":"u([0-9a-z]+)"/.exec(Buffer.from(payload, 'base64url').toString('latin1'));
  return subject === null ? -1 : Number.parseInt(subject[1] as string, 36);
}

const TOPICS = [
  'puzzles',
  'travel',
  'recipes',
  'stadiums',
  'markets',
  'maps',
  'rain',
  'trains',
  'garden',
  'bikes',
];
const KINDS = ['guide', 'notes', 'review', 'history', 'faq', 'diary', 'index', 'archive'];
const SECTIONS = ['articles', 'blog', 'projects', 'presentations'];

/** Pages of the web site, most read first. */
export const PAGES: readonly string[] = [
  '/',
  ...SECTIONS.flatMap((section) => [
    `/${section}/`,
    ...TOPICS.flatMap((topic) =>
      KINDS.map((kind) => `/${section}/${topic}-${kind}${section === 'blog' ? '.html' : '/'}`),
    ),
  ]),
];

/** Files that pages pull in. */
export const ASSETS: readonly string[] = [
  '/favicon.ico',
  '/reset.css',
  '/style2.css',
  ...TOPICS.flatMap((topic) => [
    `/images/${topic}.png`,
    `/images/web/2009/${topic}.jpg`,
    `/js/${topic}.min.js`,
  ]),
  ...KINDS.flatMap((kind) => [`/presentations/images/${kind}%20slide.png`, `/js/plugin/${kind}/${kind}.js`]),
];

export const FEEDS: readonly string[] = [
  '/?flav=rss20',
  '/?flav=atom',
  '/blog/tags/travel?flav=rss20',
  '/robots.txt',
];

const SITE = new Set([
  ...PAGES,
  ...ASSETS,
  '/robots.txt',
  '/search',
  '/contact',
  '/sitemap.xml',
  '/blog/tags/travel',
]);

/** Is there something on the web site under this path? */
export function isSitePath(path: string): boolean {
  return SITE.has(path);
}

/** The assets of one page: always the same for the same page. */
export function assetsOf(page: number, count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => ASSETS[(i < 3 ? i : page * 7 + i * 5) % ASSETS.length] as string,
  );
}
