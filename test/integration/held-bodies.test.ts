// What held bodies add to the vector: lexicals of the first bytes, and login names by the policy's field, as keyed hashes that
// count addresses of a name and names of an address (sketches: two may fall together). No name is left anywhere.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cidr, parseCidr } from '../../domain/cidr.ts';
import type { PicketEvent } from '../../domain/event.ts';
import { placeOf } from '../../domain/features.ts';
import { ALLOW_ALL, startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { RawClient } from '../support/raw-client.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';
import { until } from '../support/sidecars.ts';

const ROUTES = [
  { route: 'POST /login', login: { field: 'username' } },
  { route: 'PUT /hold/{id}', inspect: 'hold-prefix' },
] as const;

let origin: RecordingOrigin;
let plane: TestPlane;

beforeEach(async () => {
  origin = await new RecordingOrigin().listen();
  origin.answer = () => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n';
  plane = await startTestPlane({
    upstream: origin.url,
    policy: { fleet: { mode: 'monitor', ...ALLOW_ALL }, workloads: { orders: { routes: ROUTES } } },
    config: { clientIpSource: 'xff', trustedProxies: [parseCidr('127.0.0.0/8') as Cidr] },
  });
});

afterEach(async () => {
  await plane.close();
  await origin.close();
  expect(origin.violations).toEqual([]);
  expect(plane.balance).toBe(0);
});

/** Sends one request and gives its event. */
async function eventOf(line: string, body: string, ...fields: string[]): Promise<PicketEvent> {
  const client = await RawClient.open(plane.port);
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  client.send([`${line} HTTP/1.1`, 'Host: shop.test', length, ...fields, '', body].join('\r\n'));
  expect((await client.response())?.status).toBe(401);
  const events = await until(
    () => plane.events(),
    (seen) => seen.length > 0,
  );
  client.destroy();
  return events[0] as PicketEvent;
}

const loginFrom = (address: string, body: string, ...fields: string[]) =>
  eventOf('POST /login', body, `X-Forwarded-For: ${address}`, ...fields);
const featureOf = (event: PicketEvent, name: string) => event.vector[placeOf(name)] as number;

describe('a login field', () => {
  const FORM = 'username=Alice&password=secret';
  const JSON_BODY = '{"username":" ALICE ","password":"secret"}';

  it('counts addresses of one name, in forms and JSON alike, and names of one address', async () => {
    for (let i = 1; i <= 4; i++)
      await loginFrom(`81.2.69.${i}`, FORM, 'Content-Type: application/x-www-form-urlencoded');
    const json = await loginFrom('81.2.69.9', JSON_BODY, 'Content-Type: application/json');
    expect([3, 4]).toContain(Math.round(featureOf(json, 'login_addresses_1h')));
    for (const name of ['bob', 'carol', 'dave']) await loginFrom('9.9.9.9', `username=${name}`);
    const last = await loginFrom('9.9.9.9', 'username=erin');
    expect(featureOf(last, 'login_addresses_1h')).toBe(0);
    expect([2, 3]).toContain(Math.round(featureOf(last, 'address_logins_1h')));
    expect(plane.count('loginsRead')).toBe(9);
  });

  it('leaves no name in events, and reads none from compressed, foreign or missing bodies', async () => {
    const first = await loginFrom('81.2.69.1', JSON_BODY, 'Content-Type: application/json');
    expect(JSON.stringify(first).toLowerCase()).not.toContain('alice');
    await loginFrom('81.2.69.1', JSON_BODY, 'Content-Encoding: gzip');
    await loginFrom('81.2.69.1', 'other=1');
    await loginFrom('81.2.69.1', '');
    expect(plane.count('loginsRead')).toBe(1);
  });
});

describe('the first bytes of a held body', () => {
  it('reach the vector; elsewhere the body features are missing', async () => {
    const attack = "q=1' OR '1'='1' UNION SELECT password FROM users; --<script>alert(1)</script>";
    const held = await eventOf('PUT /hold/1', attack);
    const harmless = await eventOf('PUT /hold/1', 'q=a plain word');
    const other = await eventOf('PUT /other/1', attack);
    for (const name of ['body_keywords', 'body_delimiters']) {
      expect(featureOf(held, name)).toBeGreaterThan(featureOf(harmless, name));
      expect(featureOf(other, name)).toBeNaN();
    }
  });
});
