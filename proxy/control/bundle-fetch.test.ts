// Fetching a bundle: cut transfers go on where they stopped, chunks that do not fit are not taken, wrong bytes are thrown away.

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FetchBundleResponse } from '../../proto/gen/picket/v1/sidecar.ts';
import { BundleFetch, type OpenFetch } from './bundle-fetch.ts';

type Script = readonly (FetchBundleResponse | Error)[];

/** A stream of the given chunks, with the one method of a gRPC call that is used. */
function streamOf(script: Script): ReturnType<OpenFetch> {
  const stream = new Readable({ objectMode: true, read() {} });
  for (const part of script) {
    if (part instanceof Error) setImmediate(() => stream.destroy(part));
    else stream.push(part);
  }
  if (!(script.at(-1) instanceof Error)) stream.push(null);
  return Object.assign(stream, {
    cancel: () => void stream.destroy(new Error('cancelled')),
  }) as unknown as ReturnType<OpenFetch>;
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const never = new AbortController().signal;

test('any way of cutting a transfer gives the same bytes, each asked for once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 400 }),
      fc.infiniteStream(fc.nat(60)),
      async (content, cuts) => {
        const bytes = Buffer.from(content);
        const offsets: number[] = [];
        const open: OpenFetch = ({ offset }) => {
          offsets.push(offset);
          const parts: FetchBundleResponse[] = [];
          let at = offset;
          for (let i = 0; i < 3 && at < bytes.length; i++) {
            const data = bytes.subarray(at, at + 1 + (cuts.next().value ?? 0));
            parts.push({ offset: at, data, sizeBytes: bytes.length });
            at += data.length;
          }
          return streamOf(parts);
        };
        const fetch = new BundleFetch(digestOf(bytes), bytes.length);
        expect(await fetch.run(open, never)).toEqual(bytes);
        expect(new Set(offsets).size).toBe(offsets.length);
      },
    ),
    { numRuns: 60 },
  );
});

test('a transfer that is given up is resumed by the next run', async () => {
  const bytes = Buffer.from('0123456789');
  const fetch = new BundleFetch(digestOf(bytes), bytes.length);
  const abort = new AbortController();
  const first: OpenFetch = () => {
    const stream = streamOf([{ offset: 0, data: bytes.subarray(0, 4), sizeBytes: 10 }]);
    stream.on('data', () => abort.abort());
    return stream;
  };
  await expect(fetch.run(first, abort.signal)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  expect(fetch.receivedBytes).toBe(4);
  const second: OpenFetch = ({ offset }) => {
    expect(offset).toBe(4);
    return streamOf([{ offset, data: bytes.subarray(4), sizeBytes: 10 }]);
  };
  expect(await fetch.run(second, never)).toEqual(bytes);
});

test('no progress, wrong places, too many bytes, other bytes: a coded error each', async () => {
  const bytes = Buffer.from('0123456789');
  const run = (script: (offset: number) => Script) =>
    new BundleFetch(digestOf(bytes), bytes.length).run(({ offset }) => streamOf(script(offset)), never);
  const chunk = (offset: number, data: Buffer) => ({ offset, data, sizeBytes: 10 });
  await expect(run(() => [])).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(run(() => [new Error('broken')])).rejects.toThrow(/broken/);
  await expect(run((offset) => [chunk(offset + 1, bytes)])).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(run((offset) => [chunk(offset, Buffer.alloc(11))])).rejects.toMatchObject({
    code: 'UNREACHABLE',
  });
  await expect(run((offset) => [chunk(offset, Buffer.alloc(0))])).rejects.toMatchObject({
    code: 'UNREACHABLE',
  });
  await expect(run((offset) => [chunk(offset, Buffer.alloc(10))])).rejects.toMatchObject({
    code: 'BUNDLE_CORRUPT',
  });
});

test('an offer of nothing or of too much is refused before anything is fetched', () => {
  for (const sizeBytes of [0, -1, 64 * 1024 * 1024 + 1, Number.NaN]) {
    expect(() => new BundleFetch('d', sizeBytes)).toThrow(/bytes/);
  }
});
