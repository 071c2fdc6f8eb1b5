// The figures of the WSO2 traffic tool (2020): apps, resources, groups of users, gap patterns, and its attack patterns.
// Numbers only. Source: wso2/product-apim-tooling, apim-traffic-tool (Apache-2.0).

export type AppName = 'shopping' | 'taxi' | 'cricket';

/** A call a user of an app makes: API, method, how often a round (median). */
export interface CallCount {
  readonly api: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly count: number;
}

export interface Gap {
  /** Seconds. */
  readonly mean: number;
  readonly sd: number;
}

/** Gaps between calls, |N(mean, sd)| seconds, patterns p1..p10 as recorded from real traffic. */
export const GAPS: readonly Gap[] = [
  { mean: 7.22, sd: 8.3 },
  { mean: 34.6, sd: 21.7 },
  { mean: 18.1, sd: 27.4 },
  { mean: 6.66, sd: 11.0 },
  { mean: 57.3, sd: 14.5 },
  { mean: 38.1, sd: 30.0 },
  { mean: 35.1, sd: 29.9 },
  { mean: 1262, sd: 1773 },
  { mean: 5.18, sd: 6.2 },
  { mean: 7.76, sd: 24.8 },
];

/** Gaps of attacking clients, patterns a1..a5. */
export const ATTACK_GAPS: readonly Gap[] = [
  { mean: 0.55, sd: 0.85 },
  { mean: 114, sd: 616 },
  { mean: 5.09, sd: 11.0 },
  { mean: 43.8, sd: 196 },
  { mean: 1567, sd: 1466 },
];

export interface Group {
  readonly app: AppName;
  /** Users of the tool's hundred. */
  readonly users: number;
  /** Index into GAPS. */
  readonly pattern: number;
  readonly calls: readonly CallCount[];
}

const get = (api: string, count: number): CallCount => ({ api, method: 'GET', count });
const post = (api: string, count: number): CallCount => ({ api, method: 'POST', count });
const remove = (api: string, count: number): CallCount => ({ api, method: 'DELETE', count });

export const GROUPS: readonly Group[] = [
  { app: 'shopping', users: 5, pattern: 7, calls: [get('news', 1), get('places', 2)] },
  {
    app: 'shopping',
    users: 20,
    pattern: 4,
    calls: [get('news', 30), get('places', 20), get('payment', 6), post('payment', 3), remove('payment', 1)],
  },
  {
    app: 'shopping',
    users: 5,
    pattern: 3,
    calls: [get('news', 10), get('places', 15), get('payment', 8), post('payment', 4)],
  },
  { app: 'shopping', users: 10, pattern: 2, calls: [get('news', 50), get('places', 30)] },
  { app: 'taxi', users: 20, pattern: 0, calls: [get('map', 2), get('places', 1), get('weather', 2)] },
  { app: 'taxi', users: 40, pattern: 1, calls: [get('map', 50), get('places', 20), get('weather', 20)] },
  {
    app: 'taxi',
    users: 10,
    pattern: 6,
    calls: [get('map', 50), get('places', 20), get('weather', 20), get('payment', 16), post('payment', 8)],
  },
  { app: 'cricket', users: 5, pattern: 5, calls: [get('news', 2), get('cricket', 5)] },
  { app: 'cricket', users: 35, pattern: 9, calls: [get('news', 40), get('cricket', 70)] },
];

/** Which apps a user has, and how many of the tool's hundred have them. */
export const APP_MIX: readonly { readonly apps: readonly AppName[]; readonly users: number }[] = [
  { apps: ['shopping'], users: 15 },
  { apps: ['cricket'], users: 10 },
  { apps: ['taxi'], users: 35 },
  { apps: ['shopping', 'taxi'], users: 10 },
  { apps: ['shopping', 'cricket'], users: 5 },
  { apps: ['taxi', 'cricket'], users: 15 },
  { apps: ['shopping', 'taxi', 'cricket'], users: 10 },
];

export const APIS = ['news', 'places', 'payment', 'map', 'weather', 'cricket'] as const;
/** APIs whose orders can be deleted. */
export const DELETE_APIS = ['payment', 'map', 'weather', 'cricket'] as const;

/** The three order bodies of the tool. */
export const ORDER_BODIES = ['Tom', 'John', 'Tim'].map(
  (name) =>
    `{"customerName": "${name}","delivered": true,"address": "customer_address",` +
    '"pizzaType": "customer_pizza","creditCardNumber": "customer_credit_card","quantity": 0,"orderId": "1"}',
);
