// Four anomaly models for each user of seed 002 (Table 1): where requests come from, and how often their agent, method and route
// were met in the past 5 min, hour and day. K-means over the user's calm requests; a score above 1 is an anomaly.
// Learns from calm traffic only; the classifier over these scores is in layers.ts, which calls this.
import { fitKMeans, type KMeansModel, scoreKMeans } from '../kmeans.ts';
import { type Matrix, matrixFromRows, refuseTraining, rowOf } from '../matrix.ts';
import { fitScaler, type ScalerModel, scaleMatrix, scaleRow } from '../standard-scaler.ts';
import type { ApiRequest } from './layers-traffic.ts';

export const WINDOWS_MS: readonly number[] = [300_000, 3_600_000, 86_400_000];
const DAY_MS = 86_400_000;

export const CATEGORIES = ['geolocation', 'user_agent', 'http_method', 'request_path'] as const;
/** Inputs of the classifier (seed 002, section 3.1.2). */
export const CLASSIFIER_INPUTS = [...CATEGORIES, 'address_known', 'agent_known'] as const;

export interface PlaceOnEarth {
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
}

export interface RequestModelOptions {
  readonly seed: number;
  /** Null when nobody knows. */
  readonly placeOf: (address: string) => PlaceOnEarth | null;
  /** Centres of each model. */
  readonly centres?: number;
  /** Requests that each model learns from at most, evenly spread. */
  readonly rowsMax?: number;
  /** Share of the calm requests that lie within a model's threshold, 0..1. */
  readonly calmShare?: number;
}

/** Score of what no model can judge: a user without history, a place that nobody knows. */
const SCORE_MAX = 1000;
/** Distances below this (degrees and log km/h) are no change of place. */
const PLACE_TOLERANCE = 1;

interface CategoryModel {
  readonly scaler: ScalerModel;
  readonly kmeans: KMeansModel;
  readonly threshold: number;
}

interface UserModels {
  /** user_agent, http_method, request_path. */
  readonly counts: readonly CategoryModel[];
  readonly places: Matrix;
  readonly addresses: ReadonlySet<string>;
  readonly agents: ReadonlySet<string>;
  readonly last: ApiRequest;
}

/** Times at which a user's agent, method or route was met, by key. */
type Encounters = Map<string, number[]>;

const keysOf = ({ user, agent, method, route }: ApiRequest): readonly string[] => [
  `${user} agent ${agent}`,
  `${user} method ${method}`,
  `${user} route ${route}`,
];

/** First index whose time is above `after`. */
function firstAfter(times: readonly number[], after: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

function note(encounters: Encounters, key: string, atMs: number): void {
  const times = encounters.get(key);
  if (times === undefined) encounters.set(key, [atMs]);
  else times.push(atMs);
}

/** ln(1 + encounters) in each window before the request. */
function countRow(sources: readonly Encounters[], key: string, atMs: number): number[] {
  return WINDOWS_MS.map((window) => {
    let count = 0;
    for (const source of sources) {
      const times = source.get(key);
      if (times !== undefined) count += times.length - firstAfter(times, atMs - window);
    }
    return Math.log1p(count);
  });
}

/** Models of all users of some calm traffic, and the counts that later requests go on from. */
export class RequestModels {
  readonly #options: RequestModelOptions;
  readonly #encounters: Encounters = new Map();
  readonly #users = new Map<number, UserModels>();

  /**
   * @param calm requests of more than a day, in order of time: the first day fills the windows, the rest is learnt from.
   * @throws PicketError TRAINING_INVALID when there is no request after the first day.
   */
  constructor(calm: Iterable<ApiRequest>, options: RequestModelOptions) {
    this.#options = options;
    const rows = new Map<number, number[][][]>();
    const seen = new Map<number, { addresses: Set<string>; agents: Set<string>; last: ApiRequest }>();
    let startMs = Number.NaN;
    for (const request of calm) {
      if (Number.isNaN(startMs)) startMs = request.atMs;
      const { user, address, agent, atMs } = request;
      const known = seen.get(user) ?? { addresses: new Set(), agents: new Set(), last: request };
      seen.set(user, known);
      known.addresses.add(address);
      known.agents.add(agent);
      known.last = request;
      const keys = keysOf(request);
      if (atMs - startMs >= DAY_MS) {
        const ofUser = rows.get(user) ?? keys.map(() => []);
        rows.set(user, ofUser);
        keys.forEach((key, k) => {
          ofUser[k]!.push(countRow([this.#encounters], key, atMs));
        });
      }
      for (const key of keys) note(this.#encounters, key, atMs);
    }
    if (rows.size === 0) refuseTraining('layers: calm traffic must last longer than a day');
    for (const [user, ofUser] of rows) {
      const known = seen.get(user)!;
      const counts = ofUser.map((own, k) => this.#fitCategory(own, user * 4 + k));
      this.#users.set(user, { ...known, counts, places: this.#placesOf(known.addresses) });
    }
  }

  #fitCategory(all: readonly number[][], label: number): CategoryModel {
    const { seed, centres = 8, rowsMax = 1000, calmShare = 0.99 } = this.#options;
    const step = Math.max(1, all.length / rowsMax);
    const kept = Array.from({ length: Math.floor(all.length / step) }, (_, i) => all[Math.floor(i * step)]!);
    const matrix = matrixFromRows(kept);
    const scaler = fitScaler(matrix);
    const scaled = scaleMatrix(scaler, matrix);
    const k = Math.min(centres, scaled.rowCount);
    const kmeans = fitKMeans(scaled, { k, seed: seed * 1009 + label, starts: 2 });
    const distances = Float64Array.from(kept, (_, row) => scoreKMeans(kmeans, rowOf(scaled, row))).sort();
    const at = Math.min(distances.length - 1, Math.floor(distances.length * calmShare));
    return { scaler, kmeans, threshold: Math.max(distances[at]!, 1e-6) };
  }

  /** Centres of the geolocation model: the places of the user's calm requests, at rest. */
  #placesOf(addresses: ReadonlySet<string>): Matrix {
    const places = [...addresses]
      .map((address) => this.#options.placeOf(address))
      .filter((place) => place !== null);
    const rows = [
      ...new Map(places.map((place) => [`${place.latitude} ${place.longitude}`, place])).values(),
    ];
    if (rows.length === 0) return { values: new Float64Array(0), rowCount: 0, columnCount: 3 };
    const matrix = matrixFromRows(rows.map(({ latitude, longitude }) => [latitude, longitude, 0]));
    return fitKMeans(matrix, { k: Math.min(4, rows.length), seed: this.#options.seed, starts: 1 }).centres;
  }

  /**
   * The classifier's inputs for each request of a stretch of traffic that follows the calm traffic.
   * The stretch's own requests count as encounters, whatever their label; the models stay as they are.
   */
  *judge(requests: Iterable<ApiRequest>): Generator<{ request: ApiRequest; inputs: Float64Array }> {
    const own: Encounters = new Map();
    const lasts = new Map<number, ApiRequest>();
    for (const request of requests) {
      const models = this.#users.get(request.user);
      const keys = keysOf(request);
      const inputs = new Float64Array(CLASSIFIER_INPUTS.length).fill(SCORE_MAX, 0, CATEGORIES.length);
      if (models !== undefined) {
        inputs[0] = this.#placeScore(models, request, lasts.get(request.user) ?? models.last);
        models.counts.forEach((model, k) => {
          inputs[k + 1] = countScore(model, countRow([this.#encounters, own], keys[k]!, request.atMs));
        });
        const isKnown = models.addresses.has(request.address);
        inputs[4] = isKnown ? 1 : 0;
        inputs[5] = models.agents.has(request.agent) ? 1 : 0;
        if (isKnown) lasts.set(request.user, request);
      }
      for (const key of keys) note(own, key, request.atMs);
      yield { request, inputs };
    }
  }

  /** Distance to the user's places by latitude, longitude and speed since the user's last request from a known address. */
  #placeScore(models: UserModels, request: ApiRequest, last: ApiRequest): number {
    const place = this.#options.placeOf(request.address);
    if (place === null || models.places.rowCount === 0) return SCORE_MAX;
    const from = this.#options.placeOf(last.address);
    const hours = Math.max(request.atMs - last.atMs, 1000) / 3_600_000;
    const speed = from === null ? 0 : kilometres(from, place) / hours;
    const row = [place.latitude, place.longitude, Math.log1p(speed)];
    return Math.min(SCORE_MAX, scoreKMeans({ centres: models.places }, row) / PLACE_TOLERANCE);
  }
}

function countScore({ scaler, kmeans, threshold }: CategoryModel, row: readonly number[]): number {
  return Math.min(SCORE_MAX, scoreKMeans(kmeans, scaleRow(scaler, row)) / threshold);
}

const EARTH_KM = 6371;

/** Great-circle distance (haversine). */
export function kilometres(a: PlaceOnEarth, b: PlaceOnEarth): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const squared = (value: number) => value * value;
  const h =
    squared(Math.sin(radians(b.latitude - a.latitude) / 2)) +
    Math.cos(radians(a.latitude)) *
      Math.cos(radians(b.latitude)) *
      squared(Math.sin(radians(b.longitude - a.longitude) / 2));
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}
