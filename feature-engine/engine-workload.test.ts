// What the workload shares, through the whole engine: complete buckets as the paper counts them.
// What goes on in another engine after a restart is in engine-view.test.ts.

import { describe, expect, it } from 'vitest';
import { BUCKET_FIELDS } from '../domain/features-bucket.ts';
import type { ClosedBucket } from '../domain/workload-bucket.ts';
import { FeatureEngine } from './engine.ts';
import { type DrawnRequest, fillHead, testIdentity } from './testing/random-traffic.ts';

const START_MS = 1_700_000_000_000;

function send(engine: FeatureEngine, drawn: DrawnRequest, nowMs: number, status = 200): Float64Array {
  const head = fillHead(engine.headView, drawn);
  const who = testIdentity(drawn.identity, drawn.address);
  engine.observe({ head, who, routeHash: drawn.target.length, nowMs, login: 1 + (nowMs % 7) });
  const vector = engine.vector.slice();
  const outcome = { status, latencyMs: 1, bytesIn: 10, bytesOut: 100, atMs: nowMs };
  engine.outcome(engine.lastIdentity, engine.lastAddress, outcome, engine.lastTrace);
  return vector;
}

describe('the bucket of an engine', () => {
  const drawn = (identity: string, method: string, target: string): DrawnRequest => ({
    ...{
      identity,
      method,
      target,
      address: `home of ${identity}`,
      agent: 'agent',
      contentLength: Number.NaN,
    },
  });
  const requests = [
    drawn('a', 'GET', '/x'),
    drawn('a', 'GET', '/x?q=1'),
    drawn('b', 'POST', '/longer'),
    drawn('c', 'DELETE', '/x/1'),
    drawn('c', 'PUT', '/x/1'),
  ];
  const bucketOf = (some: readonly DrawnRequest[]): ClosedBucket => {
    const closed: ClosedBucket[] = [];
    const onBucket = (bucket: ClosedBucket) => closed.push(bucket);
    const engine = new FeatureEngine({ identities: 64, startedMs: START_MS, onBucket });
    for (const [i, request] of some.entries()) send(engine, request, START_MS + i, i === 0 ? 404 : 200);
    expect(closed).toEqual([]);
    send(engine, drawn('late', 'GET', '/'), START_MS + 10_000);
    expect(closed).toHaveLength(1);
    return closed[0] as ClosedBucket;
  };
  const named = ({ fields }: ClosedBucket) =>
    Object.fromEntries(BUCKET_FIELDS.map((name, i) => [name, Math.round(fields[i] as number)]));

  it('says all that the paper counts', () => {
    const bucket = bucketOf(requests);
    expect(bucket).toMatchObject({ startMs: START_MS, replicas: 1 });
    expect(named(bucket)).toEqual({
      ...{ requests: 5, addresses: 3, identities: 3, gets: 2, posts: 1, deletes: 1, puts: 1 },
      ...{ paths: 3, path_longest: 7, agents: 1, status_mean: 241, bytes: 550 },
    });
  });
});
