// What crosses identities: for the request's address, /24, network and agent x route, how many credentials and login names
// were answered there within an hour and how often they were refused; for a login name, from how many addresses it came and
// how often it was refused; for a login route, its refusals against its habit. Read at the request, updated at the answer.
// Called by the engine.

import { ADDRESS, AGENT_ROUTE, ASN, CREDENTIAL, call, LOGIN, ROUTE, STATUS, SUBNET } from './call';
import { countAnswer, distinctFirst, find, findOrMake, refusedIn, roll, writeEntry } from './crossing-table';
import { countLogin, failureRatio } from './login-routes';
import { mix32 } from './mix';

let addresses: usize = 0;
let addressMask: u32 = 0;
let subnets: usize = 0;
let subnetMask: u32 = 0;
let networks: usize = 0;
let networkMask: u32 = 0;
let agentRoutes: usize = 0;
let agentRouteMask: u32 = 0;
/** First sketch: the addresses of a login name. */
let logins: usize = 0;
let loginMask: u32 = 0;
let loginRoutes: usize = 0;
/** Byte of the vector where the group begins. */
let place: usize = 0;

/*
 * Bytes of the group in the vector: 40 for each unit, then login_addresses_1h and login_failure_ratio, then what came later:
 * 24 for each unit, and login_refused_1h.
 */
const UNIT: usize = 40;
const LOGIN_AT: usize = 4 * UNIT;
const MORE: usize = LOGIN_AT + 16;
const UNIT_MORE: usize = 24;
const LOGIN_REFUSED: usize = MORE + 4 * UNIT_MORE;

/** Bytes of a table with so many sets. */
// @ts-ignore: decorator
@inline
function tableBytes(sets: u32): usize {
  return <usize>sets * (16 + 4 * 64);
}

/**
 * One region at `at`, zeroed: login routes, then the tables of addresses, subnets, networks, agent x route and login names, with
 * so many sets of four, each a power of two. @param firstPlace in the vector of the first feature of features-crossing.ts.
 */
export function configureCrossing(
  at: usize,
  addressSets: u32,
  subnetSets: u32,
  networkSets: u32,
  agentRouteSets: u32,
  loginSets: u32,
  firstPlace: usize,
): void {
  loginRoutes = at;
  addresses = at + 4160;
  addressMask = addressSets - 1;
  subnets = addresses + tableBytes(addressSets);
  subnetMask = subnetSets - 1;
  networks = subnets + tableBytes(subnetSets);
  networkMask = networkSets - 1;
  agentRoutes = networks + tableBytes(networkSets);
  agentRouteMask = agentRouteSets - 1;
  logins = agentRoutes + tableBytes(agentRouteSets);
  loginMask = loginSets - 1;
  place = firstPlace << 3;
}

/** Writes the 35 features of the request at hand as known before it; changes nothing but the slices. */
export function observeCrossing(vector: usize): void {
  const out = vector + place;
  // All look-ups first: their cache misses overlap.
  const address = find(addresses, addressMask, load<u32>(call, ADDRESS));
  const subnet = find(subnets, subnetMask, load<u32>(call, SUBNET));
  const network = find(networks, networkMask, load<u32>(call, ASN));
  const agentRoute = find(agentRoutes, agentRouteMask, load<u32>(call, AGENT_ROUTE));
  writeEntry(address, out, out + MORE);
  writeEntry(subnet, out + UNIT, out + (MORE + UNIT_MORE));
  writeEntry(network, out + 2 * UNIT, out + (MORE + 2 * UNIT_MORE));
  writeEntry(agentRoute, out + 3 * UNIT, out + (MORE + 3 * UNIT_MORE));
  const login = load<u32>(call, LOGIN);
  if (login == 0) {
    store<f64>(out, f64.NaN, LOGIN_AT);
    store<f64>(out, f64.NaN, LOGIN_AT + 8);
    store<f64>(out, f64.NaN, LOGIN_REFUSED);
  } else writeLogin(login, out);
}

function writeLogin(login: u32, out: usize): void {
  const entry = find(logins, loginMask, login);
  let known: f64 = 0;
  let refused: f64 = 0;
  if (entry != 0) {
    roll(entry);
    known = distinctFirst(entry);
    refused = refusedIn(entry);
  }
  store<f64>(out, <f64>(<f32>known), LOGIN_AT);
  store<f64>(out, <f64>(<f32>failureRatio(loginRoutes, load<u32>(call, ROUTE))), LOGIN_AT + 8);
  store<f64>(out, <f64>(<f32>refused), LOGIN_REFUSED);
}

/** Counts the origin's answer at hand; without one (status 0) nothing. */
export function crossingAnswered(): void {
  const status = load<u32>(call, STATUS);
  if (status < 100) return;
  const credential = load<u32>(call, CREDENTIAL);
  const login = load<u32>(call, LOGIN);
  const address = load<u32>(call, ADDRESS);
  const subnet = load<u32>(call, SUBNET);
  const network = load<u32>(call, ASN);
  const agentRoute = load<u32>(call, AGENT_ROUTE);
  if (address != 0) countAnswer(findOrMake(addresses, addressMask, address), status, credential, login);
  if (subnet != 0) countAnswer(findOrMake(subnets, subnetMask, subnet), status, credential, login);
  if (network != 0) countAnswer(findOrMake(networks, networkMask, network), status, credential, login);
  if (agentRoute != 0)
    countAnswer(findOrMake(agentRoutes, agentRouteMask, agentRoute), status, credential, login);
  if (login == 0) return;
  countAnswer(findOrMake(logins, loginMask, login), status, mix32(address), credential);
  countLogin(loginRoutes, load<u32>(call, ROUTE), status == 401 || status == 403);
}
