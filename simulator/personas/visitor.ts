// People and machines that read the web site without any credential: page and assets in a burst, then reading time; one-hit
// visitors; crawlers; feed readers and monitors that fetch the same thing for ever.
// Realistic worlds only: they are what makes a busy address ordinary.

import type { Random } from '../../domain/random.ts';
import { assetsOf, FEEDS, ITEM_COUNT, PAGES } from '../catalogue.ts';
import {
  between,
  chance,
  exponential,
  homeAddress,
  letters,
  logBetween,
  lognormal,
  pick,
  zipf,
} from '../draw.ts';
import type { Client, ClientKind, Persona } from '../request.ts';
import { CRAWLER_AGENTS, drawAgent, READER_AGENTS } from '../user-agents.ts';

function visitorClient(random: Random, kind: ClientKind = 'browser'): Client {
  return { kind, address: homeAddress(random), agent: drawAgent(random, kind), token: null, cookie: null };
}

/** One visit: 1..12 pages, most visits have one; assets come with the first page, fewer with later ones (cached). */
export function* siteVisitor(random: Random, address: string | null = null): Persona {
  const client = { ...visitorClient(random), ...(address === null ? {} : { address }) };
  const pages = chance(random, 0.5) ? 1 : 1 + Math.floor(exponential(random, 3));
  const slides = chance(random, 0.08);
  let waitMs = 0;
  for (let n = 0; n < pages; n++) {
    const page = zipf(random, PAGES.length, 0.9);
    yield {
      afterMs: waitMs,
      client,
      method: chance(random, 0.01) ? 'HEAD' : 'GET',
      target: pageTarget(random, page),
    };
    const assetCount = slides ? 20 + random.int(50) : n === 0 ? random.int(25) : random.int(6);
    const spreadMs = slides ? 800 : logBetween(random, 15, 400);
    for (const target of assetsOf(page, assetCount)) {
      yield {
        afterMs: exponential(random, spreadMs),
        client,
        method: 'GET',
        target,
        conditional: n > 0 && chance(random, 0.4),
      };
    }
    if (chance(random, 0.03))
      yield { afterMs: between(random, 5, 3000), client, method: 'GET', target: lostTarget(random) };
    if (chance(random, 0.03))
      yield { afterMs: between(random, 4e3, 4e4), client, method: 'POST', target: '/search', body: 'q=rain' };
    waitMs = lognormal(random, 25_000, 1.2);
  }
}

/** Follows links at its own pace for ever: 1 request in 1..60 s, a few per cent dead links, reads robots.txt first. */
export function* crawler(
  random: Random,
  options: { readonly meanGapMs: number; readonly addresses: number },
): Persona {
  const agent = pick(random, CRAWLER_AGENTS);
  const clients = Array.from({ length: options.addresses }, () => ({
    ...visitorClient(random, 'script'),
    agent,
  }));
  yield { afterMs: 0, client: clients[0] as Client, method: 'GET', target: '/robots.txt' };
  for (;;) {
    const client = pick(random, clients);
    const target = chance(random, 0.06) ? lostTarget(random) : pageTarget(random, random.int(PAGES.length));
    const afterMs = options.meanGapMs * between(random, 0.6, 1.4);
    yield {
      afterMs,
      client,
      method: chance(random, 0.03) ? 'HEAD' : 'GET',
      target,
      conditional: chance(random, 0.1),
    };
  }
}

/** The same few targets at a fixed interval, for ever. */
export function* monitor(
  random: Random,
  options: { readonly everyMs: number; readonly token: string | null },
): Persona {
  const base = visitorClient(random, 'script');
  const client = { ...base, agent: pick(random, READER_AGENTS), token: options.token };
  const targets =
    options.token === null ? [pick(random, FEEDS)] : ['/news/1/menu', '/map/1/menu', '/payment/1/menu'];
  for (;;) {
    let waitMs = options.everyMs * between(random, 0.98, 1.02);
    for (const target of targets) {
      yield { afterMs: waitMs, client, method: 'GET', target, conditional: chance(random, 0.3) };
      waitMs = between(random, 5, 60);
    }
  }
}

/** A server of a partner: one token, one address, one agent, steady calls at up to 2 a second; now and then a page of items. */
export function* partner(
  random: Random,
  options: { readonly token: string; readonly meanGapMs: number },
): Persona {
  const client = { ...visitorClient(random, 'script'), token: options.token };
  const apis = random.shuffle(['news', 'places', 'map', 'weather', 'cricket']).slice(0, 1 + random.int(3));
  for (;;) {
    const api = pick(random, apis);
    const draw = random.next();
    const post = draw >= 0.95;
    const target =
      draw < 0.4
        ? `/${api}/1/menu`
        : post
          ? '/payment/1/order'
          : `/${api}/1/items/${zipf(random, ITEM_COUNT, 0.9)}`;
    const afterMs = chance(random, 0.2)
      ? between(random, 2, 60)
      : exponential(random, options.meanGapMs * 1.25);
    yield {
      afterMs,
      client,
      method: post ? 'POST' : 'GET',
      target,
      ...(post ? { body: '{"quantity": 1}' } : {}),
    };
  }
}

function pageTarget(random: Random, page: number): string {
  const path = PAGES[page] as string;
  const draw = random.next();
  if (draw < 0.85) return path;
  if (draw < 0.93)
    return `${path}?utm_source=mail&utm_medium=feed&utm_campaign=Feed%3A+site%2Fmain+%28News%29`;
  return `${path}?page=${random.int(9)}`;
}

/** A dead link or a mistyped path. */
function lostTarget(random: Random): string {
  const draw = random.next();
  if (draw < 0.4) return `/articles/${letters(random, 6)}-${letters(random, 7)}/`;
  if (draw < 0.7) return `${pick(random, PAGES)}${letters(random, 3)}`;
  return pick(random, [
    '/apple-touch-icon.png',
    '/wp-login.php',
    '/favicon.png',
    '/ads.txt',
    '/blog//index',
    '/images/;old.png',
  ]);
}
