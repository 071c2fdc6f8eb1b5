// What crosses identities: for the request's address, /24, network and agent x route, how many identities and login names were
// answered there within an hour and how often they were refused; for a login name, from how many addresses it came; for a login
// route, its refusals against its habit. Read at the request, updated at the answer. Called by the engine.

import { CrossingTable, FIRST } from './crossing-table.ts';
import { LoginRoutes } from './login-routes.ts';
import { ESTIMATE, mix32 } from './sketch.ts';
import type { Moment } from './windows.ts';

/** Features of one unit (address, /24, network, agent x route). */
const UNIT_FEATURES = 5;
const UNITS = 4;
/** Places that `write` fills. */
export const CROSSING_FEATURES_COUNT = UNITS * UNIT_FEATURES + 2;

/** Whom a request belongs to: 32-bit hashes (numbers for the network), 0 where unknown. Signed or not makes no difference. */
export interface CrossingCall {
  address: number;
  subnet: number;
  network: number;
  /** 0 without a user agent. */
  agentRoute: number;
  identity: number;
  /** Keyed hash of the login name, 0 without one. */
  login: number;
  route: number;
}

/** Entries of the tables, by unit and for login names. */
export interface CrossingOptions {
  readonly addresses?: number;
  readonly subnets?: number;
  readonly networks?: number;
  readonly agentRoutes?: number;
  readonly logins?: number;
}

export class Crossing {
  readonly #addresses: CrossingTable;
  readonly #subnets: CrossingTable;
  readonly #networks: CrossingTable;
  readonly #agentRoutes: CrossingTable;
  /** First sketch: the addresses of a login name. */
  readonly #logins: CrossingTable;
  readonly #loginRoutes = new LoginRoutes();

  constructor(options: CrossingOptions = {}) {
    this.#addresses = new CrossingTable(options.addresses ?? 4096);
    this.#subnets = new CrossingTable(options.subnets ?? 2048);
    this.#networks = new CrossingTable(options.networks ?? 512);
    this.#agentRoutes = new CrossingTable(options.agentRoutes ?? 1024);
    this.#logins = new CrossingTable(options.logins ?? 4096);
  }

  get bytes(): number {
    const tables = [this.#addresses, this.#subnets, this.#networks, this.#agentRoutes, this.#logins];
    return tables.reduce((sum, table) => sum + table.bytes, this.#loginRoutes.bytes);
  }

  /** Writes the 22 features of a request as known before it; changes nothing but the slices. */
  write(call: CrossingCall, moment: Moment, out: Float64Array, place: number): void {
    writeUnit(this.#addresses, call.address, { moment, out, place });
    writeUnit(this.#subnets, call.subnet, { moment, out, place: place + UNIT_FEATURES });
    writeUnit(this.#networks, call.network, { moment, out, place: place + 2 * UNIT_FEATURES });
    writeUnit(this.#agentRoutes, call.agentRoute, { moment, out, place: place + 3 * UNIT_FEATURES });
    const login = place + UNITS * UNIT_FEATURES;
    out[login] = Number.NaN;
    out[login + 1] = Number.NaN;
    if (call.login === 0) return;
    const at = this.#logins.find(call.login, moment);
    ESTIMATE[0] = 0;
    if (at >= 0) this.#logins.distinct(at, FIRST, moment);
    out[login] = Math.fround(ESTIMATE[0]!);
    this.#loginRoutes.write(call.route, moment, out, login + 1);
  }

  /** Counts the origin's answer to a request. @param status 0 if none came: nothing is counted. */
  answered(call: CrossingCall, status: number, moment: Moment): void {
    if (status < 100) return;
    const { identity, login } = call;
    countIn(this.#addresses, call.address, call, { status, moment });
    countIn(this.#subnets, call.subnet, call, { status, moment });
    countIn(this.#networks, call.network, call, { status, moment });
    countIn(this.#agentRoutes, call.agentRoute, call, { status, moment });
    if (login === 0) return;
    this.#logins.count(this.#logins.findOrMake(login, moment), status, mix32(call.address) | 0, identity);
    this.#loginRoutes.count(call.route, status === 401 || status === 403, moment);
  }
}

interface Target {
  readonly moment: Moment;
  readonly out: Float64Array;
  readonly place: number;
}

function writeUnit(table: CrossingTable, key: number, { moment, out, place }: Target): void {
  table.write(key === 0 ? -1 : table.find(key, moment), moment, out, place);
}

interface Answer {
  readonly status: number;
  readonly moment: Moment;
}

function countIn(table: CrossingTable, key: number, call: CrossingCall, { status, moment }: Answer): void {
  if (key !== 0) table.count(table.findOrMake(key, moment), status, call.identity, call.login);
}
