// The sample API as a function: request in, status, size and latency out; remembers only which orders are gone or new.
// Object semantics: unknown id 404, another's 403, created 201, deleted 204, deleted twice 404, no token 401.
// Used by the live server (upstream.ts) and by offline traffic, so both answer alike.

import type { Random } from '../domain/random.ts';
import { ITEM_COUNT, isSitePath, ORDER_COUNT, orderOwner, profileId, userOfToken } from './catalogue.ts';
import { lognormal } from './draw.ts';
import type { Answer } from './request.ts';

export interface StoreRequest {
  readonly method: string;
  readonly target: string;
  readonly token: string | null;
  readonly body: string | null;
  readonly conditional: boolean;
}

export interface SampleStoreOptions {
  readonly random: Random;
  /** Share of requests that meet a mishap of the API's own (400, 401, 403, 409, 429, 5xx). */
  readonly mishapShare?: number;
}

/** Mishaps and their shares per request without an incident. */
const MISHAPS: readonly (readonly [number, number])[] = [
  [400, 0.008],
  [401, 0.007],
  [403, 0.003],
  [409, 0.002],
  [429, 0.002],
  [500, 0.002],
  [503, 0.001],
];
const MISHAP_SHARE = 0.025;

/** Median bytes and sigma of the lognormal law. */
const SIZES = {
  menu: [6_000, 0.4],
  item: [2_000, 0.6],
  list: [20_000, 0.4],
  order: [700, 0.3],
  page: [12_000, 0.6],
  asset: [15_000, 1.1],
  small: [180, 0.1],
} as const;
type SizeName = keyof typeof SIZES;

const API_PATH = /^\/(news|places|payment|map|weather|cricket|account)\/[12]\/([a-z]+)(?:\/([^/]+))?$/;
const DELETED_MAX = 100_000;

interface Hit {
  readonly status: number;
  readonly size: SizeName;
}

export class SampleStore {
  readonly #random: Random;
  readonly #mishapScale: number;
  readonly #deleted = new Set<string>();

  constructor(options: SampleStoreOptions) {
    this.#random = options.random;
    this.#mishapScale = (options.mishapShare ?? MISHAP_SHARE) / MISHAP_SHARE;
  }

  answer(request: StoreRequest): Answer {
    const hit = this.#mishap() ?? this.#hit(request);
    const [median, sigma] = SIZES[hit.status >= 400 ? 'small' : hit.size];
    const empty = hit.status === 304 || hit.status === 204 || request.method === 'HEAD';
    return {
      status: hit.status,
      bodyBytes: empty ? 0 : Math.round(Math.min(lognormal(this.#random, median, sigma), 200_000)),
      latencyMs: Math.min(lognormal(this.#random, 18, 0.7), 2_000),
    };
  }

  #mishap(): Hit | null {
    let draw = this.#random.next();
    for (const [status, share] of MISHAPS) {
      draw -= share * this.#mishapScale;
      if (draw < 0) return { status, size: 'small' };
    }
    return null;
  }

  #hit(request: StoreRequest): Hit {
    const query = request.target.indexOf('?');
    const path = query < 0 ? request.target : request.target.slice(0, query);
    if (path === '/token') return { status: request.method === 'POST' ? 200 : 405, size: 'small' };
    const api = API_PATH.exec(path);
    if (api === null) return this.#site(request, path);
    const [, name = '', resource = '', id] = api;
    if (name === 'account' && resource === 'login') return login(request.body);
    const user = request.token === null ? -1 : userOfToken(request.token);
    if (user < 0) return { status: 401, size: 'small' };
    if (request.conditional && request.method === 'GET') return { status: 304, size: 'small' };
    if (name === 'account') return account(resource, id, user);
    if (resource === 'menu' && id === undefined) return readOnly(request.method, 'menu');
    if (resource === 'items') return items(request.method, id);
    if (resource === 'order') return this.#order(request.method, name, { id, user });
    return { status: 404, size: 'small' };
  }

  #order(method: string, api: string, of: { id: string | undefined; user: number }): Hit {
    if (of.id === undefined) return { status: method === 'POST' ? 201 : 405, size: 'order' };
    const number = /^\d{1,6}$/.test(of.id) ? Number(of.id) : -1;
    const key = `${api}/${number}`;
    if (number < 0 || number >= ORDER_COUNT || this.#deleted.has(key)) return { status: 404, size: 'small' };
    if (orderOwner(number) !== of.user % 2_000) return { status: 403, size: 'small' };
    if (method === 'DELETE') {
      if (this.#deleted.size >= DELETED_MAX) this.#deleted.clear();
      this.#deleted.add(key);
      return { status: 204, size: 'small' };
    }
    return { status: method === 'GET' || method === 'PUT' ? 200 : 405, size: 'order' };
  }

  #site(request: StoreRequest, path: string): Hit {
    if (!isSitePath(path)) return { status: 404, size: 'small' };
    if (request.method === 'POST')
      return { status: path === '/contact' || path === '/search' ? 303 : 405, size: 'small' };
    if (request.conditional) return { status: 304, size: 'small' };
    return readOnly(request.method, /\.(css|png|jpg|js|ico)$/.test(path) ? 'asset' : 'page');
  }
}

function readOnly(method: string, size: SizeName): Hit {
  return { status: method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 200 : 405, size };
}

function items(method: string, id: string | undefined): Hit {
  if (id === undefined) return readOnly(method, 'list');
  const known = /^\d{1,7}$/.test(id) && Number(id) < ITEM_COUNT;
  return known ? readOnly(method, 'item') : { status: 404, size: 'small' };
}

/** A password that begins with "right" is right: the sample API has no accounts. */
function login(body: string | null): Hit {
  return { status: body?.includes('"password":"right') === true ? 200 : 401, size: 'small' };
}

function account(resource: string, id: string | undefined, user: number): Hit {
  if (resource === 'exists') return { status: 200, size: 'small' };
  if (resource !== 'profile' || id === undefined) return { status: 404, size: 'small' };
  return { status: id === profileId(user) ? 200 : 403, size: 'order' };
}
