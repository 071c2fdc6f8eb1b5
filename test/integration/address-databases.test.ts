// Address databases of a whole sidecar: refused at start when they are damaged, shown by /status, and replaced under traffic
// without a lost request; a damaged replacement changes nothing. And places that really come out in the vector.

import { copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { placeOf } from '../../domain/features.ts';
import { type AddressData, GeoFiles } from '../../feature-engine/geo-files.ts';
import { startTestPlane } from '../support/data-planes.ts';
import { ask, Cleanup, runSidecar, spawnPicket, startOrigin, until } from '../support/sidecars.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/data/geoip_test/', import.meta.url));
const present = existsSync(FOLDER);
if (!present) console.log('skipped: no ../shared/data/geoip_test, so no sidecar runs with address databases');
const file = (name: string) => join(FOLDER, name);
const CITY = file('GeoLite2-City-Test.mmdb');

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface DatabaseStatus {
  readonly option: string;
  readonly file: string;
  readonly type: string;
  readonly built: string | null;
  readonly age_days: number | null;
  readonly bytes: number;
  readonly problem: string | null;
}

async function databasesOf(admin: string): Promise<DatabaseStatus[]> {
  const status = JSON.parse((await ask(`${admin}/status`)).body) as { address_databases: DatabaseStatus[] };
  return status.address_databases;
}

/** Puts a file in another's place at once, as a good updater does. */
function replace(path: string, by: string | Buffer): void {
  if (typeof by === 'string') copyFileSync(by, `${path}.new`);
  else writeFileSync(`${path}.new`, by);
  renameSync(`${path}.new`, path);
}

/** Keeps sending over one kept connection until told to stop; the statuses it saw, errors as 0. */
function traffic(url: string): { readonly sent: () => number; readonly stop: () => Promise<number[]> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const statuses: number[] = [];
  let going = true;
  const once = () =>
    new Promise<number>((resolve) => {
      const req = httpRequest(url, { agent, headers: { authorization: 'Bearer geo' } }, (res) => {
        res.resume().on('end', () => resolve(res.statusCode ?? 0));
      });
      req.on('error', () => resolve(0)).end();
    });
  const run = (async () => {
    while (going) statuses.push(await once());
    agent.destroy();
    return statuses;
  })();
  const stop = () => {
    going = false;
    return run;
  };
  return { sent: () => statuses.length, stop };
}

describe.skipIf(!present)('address databases of a sidecar', () => {
  test('damaged ones are refused at start, all at once: file, what, how to mend', async () => {
    const broken = file('MaxMind-DB-test-broken-pointers-24.mmdb');
    const args = ['sidecar', '--upstream', 'http://127.0.0.1:1', '--geo', broken];
    const alone = spawnPicket(cleanup, args);
    const missing = ['--asn', file('none.mmdb'), '--policy', file('none.yaml')];
    const several = spawnPicket(cleanup, [...args.slice(0, 3), ...missing]);
    expect(await alone.exit).toBe(1);
    expect(alone.errors()).toContain(`DATA_INVALID: ${broken} is no usable address database`);
    expect(alone.errors()).toContain('Hint: fetch the file again');
    expect(await several.exit).toBe(2);
    expect(several.errors()).toMatch(/none\.mmdb cannot be read: ENOENT/);
    expect(several.errors()).toContain('--policy');
  });

  test('/status and the memory plan name them', async () => {
    const origin = await startOrigin(cleanup);
    const list = join(cleanup.folder(), 'hosting.txt');
    writeFileSync(list, '203.0.113.0/24\n');
    const databases = ['--geo', CITY, '--asn', file('GeoLite2-ASN-Test.mmdb'), '--hosting-cidrs', list];
    const { admin, sidecar } = await runSidecar(cleanup, ['--upstream', origin.url, ...databases]);
    const [geo, asn, hosting] = await databasesOf(admin);
    expect(geo).toMatchObject({ option: '--geo', file: CITY, type: 'GeoLite2-City', problem: null });
    expect(Date.parse(geo?.built ?? '')).toBeGreaterThan(1.5e12);
    expect(geo?.age_days).toBeGreaterThan(0);
    expect(asn).toMatchObject({ option: '--asn', type: 'GeoLite2-ASN' });
    expect(hosting).toMatchObject({ option: '--hosting-cidrs', type: 'CIDR list', bytes: 32 });
    const planned = sidecar.status().memory.plan['address databases, two of each at a change'];
    expect(planned).toBeGreaterThan(2 * ((geo?.bytes ?? 0) + (asn?.bytes ?? 0)));
  });

  test('a new file is taken up and a damaged one is not, under traffic that loses nothing', async () => {
    const origin = await startOrigin(cleanup);
    const path = join(cleanup.folder(), 'geo.mmdb');
    replace(path, CITY);
    const { url, admin, sidecar, log } = await runSidecar(cleanup, ['--upstream', origin.url, '--geo', path]);
    const busy = traffic(`${url}/orders`);
    const answers = (more: number) => {
      const from = busy.sent();
      return until(busy.sent, (sent) => sent >= from + more);
    };
    await answers(20);
    replace(path, file('GeoIP2-City-Test.mmdb'));
    expect(await sidecar.reload()).toContain('address databases: read anew');
    expect((await databasesOf(admin))[0]).toMatchObject({ type: 'GeoIP2-City', problem: null });
    await answers(20);
    for (const damaged of [
      file('GeoIP2-City-Test-Broken-Double-Format.mmdb'),
      file('MaxMind-DB-no-ipv4-search-tree.mmdb'),
      Buffer.from('not a database'),
    ]) {
      replace(path, damaged);
      expect(await sidecar.reload()).toContain('address databases: refused, DATA_INVALID');
      expect((await databasesOf(admin))[0]).toMatchObject({ type: 'GeoIP2-City' });
      expect((await databasesOf(admin))[0]?.problem).toContain(path);
      await answers(20);
    }
    rmSync(path);
    expect(await sidecar.reload()).toContain('address databases: refused, DATA_INVALID');
    replace(path, CITY);
    expect(await sidecar.reload()).toContain('address databases: read anew');
    expect((await databasesOf(admin))[0]).toMatchObject({ type: 'GeoLite2-City', problem: null });
    expect(await sidecar.reload()).toContain('address databases: unchanged');
    await answers(20);
    const statuses = await busy.stop();
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(origin.requests).toHaveLength(statuses.length);
    expect(log.filter((line) => line.msg.includes('the last good one stays'))).toHaveLength(4);
  });

  test('it looks by itself, on its tick', async () => {
    const origin = await startOrigin(cleanup);
    const path = join(cleanup.folder(), 'geo.mmdb');
    replace(path, CITY);
    const { admin } = await runSidecar(cleanup, ['--upstream', origin.url, '--geo', path]);
    replace(path, file('GeoIP2-City-Test.mmdb'));
    await until(
      () => databasesOf(admin),
      ([geo]) => geo?.type === 'GeoIP2-City',
    );
  });

  test('places and networks come out in the vector, and go with the database', async () => {
    const origin = await startOrigin(cleanup);
    const trusted = { text: '127.0.0.0/8', bits: 104, bytes: new Uint8Array(16) };
    trusted.bytes.set([0xff, 0xff, 127], 10);
    const plane = await startTestPlane({
      upstream: new URL(origin.url),
      config: { clientIpSource: 'xff', trustedProxies: [trusted] },
    });
    cleanup.add(() => plane.close());
    const valuesFor = async (address: string, data?: AddressData) => {
      if (data !== undefined) plane.plane.setAddresses(data);
      await ask(`http://127.0.0.1:${plane.port}/orders`, { 'x-forwarded-for': address });
      const [event] = await until(
        () => plane.events().filter((one) => one.outcome !== null),
        (events) => events.length > 0,
      );
      const value = (name: string) => {
        return event?.vector[placeOf(name)];
      };
      return ['geo_latitude', 'address_private', 'address_datacenter'].map(value);
    };
    expect(await valuesFor('81.2.69.142')).toEqual([Number.NaN, 0, 0]);
    const { data } = await GeoFiles.open({ geo: CITY, asn: file('GeoIP2-Anonymous-IP-Test.mmdb') });
    expect(await valuesFor('81.2.69.142', data)).toEqual([Math.fround(51.5142), 0, 1]);
    expect(await valuesFor('10.1.2.3')).toEqual([Number.NaN, 1, 0]);
    expect(await valuesFor('81.2.69.142', {})).toEqual([Number.NaN, 0, 0]);
  });
});
