// Every row of the request table, through a data plane in both modes, to an origin that reads strictly: the answer, its one
// reason code, what the origin saw, and that requests = scored + uninspected + rejected holds after each row.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mode } from '../../domain/verdict.ts';
import { ALLOW_ALL, startTestPlane, type TestPlane } from '../support/data-planes.ts';
import { valuesOf } from '../support/http-message.ts';
import { RawClient } from '../support/raw-client.ts';
import { RecordingOrigin } from '../support/recording-origin.ts';
import { ACCEPTED } from './http-accepted.cases.ts';
import { BROKEN_BODIES, get, REFUSED } from './http-refused.cases.ts';

describe.each<Mode>(['monitor', 'block'])('in %s', (mode) => {
  let origin: RecordingOrigin;
  let plane: TestPlane;

  beforeAll(async () => {
    origin = await new RecordingOrigin().listen();
    plane = await startTestPlane({ upstream: origin.url, policy: { fleet: { mode, ...ALLOW_ALL } } });
  });

  afterAll(async () => {
    await plane.close();
    await origin.close();
  });

  it.each(REFUSED)('refuses: $name', async ({ send, code, status }) => {
    const before = origin.requests.length;
    const rejected = plane.rejected(code);
    const client = (await RawClient.open(plane.port)).send(send);
    const answer = await client.response();
    expect(answer?.status).toBe(status);
    expect(valuesOf(answer?.fields ?? [], 'content-type')).toEqual(['application/problem+json']);
    expect(valuesOf(answer?.fields ?? [], 'connection')).toEqual(['close']);
    const [id] = valuesOf(answer?.fields ?? [], 'x-picket-request-id');
    const problem = JSON.parse(answer?.body.toString() ?? '');
    expect(problem).toMatchObject({ status, reason: code, request_id: id });
    expect(Object.keys(problem).sort()).toEqual(['reason', 'request_id', 'status', 'title', 'type']);
    await client.whenEnded();
    expect(client.received).toHaveLength(0);
    expect(plane.rejected(code)).toBe(rejected + 1);
    expect(origin.requests).toHaveLength(before);
    expect(plane.balance).toBe(0);
  });

  it.each(BROKEN_BODIES)('aborts: $name', async ({ send, code, status }) => {
    const before = origin.requests.length;
    const answered = plane.answered(code);
    const scored = plane.count('scored');
    const client = (await RawClient.open(plane.port)).send(send);
    const answer = await client.response();
    expect(answer?.status).toBe(status);
    expect(JSON.parse(answer?.body.toString() ?? '')).toMatchObject({ reason: code });
    await client.whenEnded();
    expect([plane.answered(code), plane.count('scored')]).toEqual([answered + 1, scored + 1]);
    expect(origin.requests).toHaveLength(before);
    expect(plane.balance).toBe(0);
  });

  it.each(ACCEPTED)('accepts: $name', async ({ send, line, fields = {}, body = '', normalised = false }) => {
    const before = origin.requests.length;
    const scored = plane.count('scored');
    const notes = plane.noted('protocol.normalised');
    const client = (await RawClient.open(plane.port)).send(send);
    const answer = await client.response();
    client.destroy();
    expect(answer?.status).toBe(200);
    expect(origin.requests).toHaveLength(before + 1);
    const seen = origin.requests.at(-1);
    expect(seen?.startLine).toBe(line);
    for (const [name, value] of Object.entries(fields)) {
      expect([name, valuesOf(seen?.fields ?? [], name)]).toEqual([name, value === null ? [] : [value]]);
    }
    expect(seen?.body.toString()).toBe(body);
    expect(plane.count('scored')).toBe(scored + 1);
    expect(plane.noted('protocol.normalised')).toBe(notes + (normalised ? 1 : 0));
    expect(plane.balance).toBe(0);
  });

  it('closes an HTTP/2 preface without an answer', async () => {
    const client = (await RawClient.open(plane.port)).send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await client.whenEnded();
    expect(client.received).toHaveLength(0);
    expect(plane.rejected('protocol.h2_preface')).toBe(1);
    expect(plane.balance).toBe(0);
  });

  it('answers OPTIONS with Max-Forwards: 0 itself', async () => {
    const before = origin.requests.length;
    const client = await RawClient.open(plane.port);
    client.send('OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n');
    const answer = await client.response();
    expect([answer?.status, answer?.body.length]).toEqual([204, 0]);
    expect(valuesOf(answer?.fields ?? [], 'x-picket-request-id')).toHaveLength(1);
    client.send(get());
    expect((await client.response())?.status).toBe(200);
    expect([origin.requests.length, plane.noted('local.max_forwards')]).toEqual([before + 1, 1]);
    client.destroy();
  });

  it('was never misread, and lives', () => {
    expect(origin.violations).toEqual([]);
    expect(plane.notes).toEqual([]);
    expect([
      plane.count('internalErrors'),
      plane.answered('internal.dispatch'),
      plane.plane.inflight,
    ]).toEqual([0, 0, 0]);
    expect(plane.count('forwarded')).toBe(plane.count('attempts'));
    expect(plane.count('attempts')).toBeGreaterThanOrEqual(origin.requests.length);
  });
});
