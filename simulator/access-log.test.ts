// Access logs: the variants of the format, times, order within a second, broken lines and files; never an exception for a line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { PicketError } from '../domain/errors.ts';
import { parseLogLine, parseLogTime, readAccessLog } from './access-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'picket-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PLAIN =
  '9.8.7.6 - - [14/Oct/2019:10:50:18 +0200] "GET /a?b=1 HTTP/1.1" 200 512 "http://r/" "Agent/1.0 (x)"';

describe('parseLogLine', () => {
  it('reads a combined line', () => {
    expect(parseLogLine(PLAIN)).toEqual({
      atMs: Date.UTC(2019, 9, 14, 8, 50, 18),
      address: '9.8.7.6',
      method: 'GET',
      target: '/a?b=1',
      status: 200,
      bodyBytes: 512,
      referer: 'http://r/',
      agent: 'Agent/1.0 (x)',
    });
  });

  it.each([
    ['quoted as a whole', `"${PLAIN}"`, { agent: 'Agent/1.0 (x)' }],
    ['a further field', `${PLAIN} "-"`, { agent: 'Agent/1.0 (x)' }],
    ['common format', PLAIN.replace(/ "http.*$/, ''), { agent: null, referer: null }],
    ['no size', PLAIN.replace(' 512 ', ' - '), { bodyBytes: 0 }],
    ['IPv6', PLAIN.replace('9.8.7.6', '2001:db8::1'), { address: '2001:db8::1' }],
    ['a user name', PLAIN.replace('- - [', '- "some one" ['), { status: 200 }],
    ['escaped quotes', PLAIN.replace('Agent/1.0', 'A\\"B'), { agent: 'A\\"B (x)' }],
    ['spaces in the target', PLAIN.replace('/a?b=1', '/a b c'), { target: '/a b c' }],
    ['HTTP/0.9', PLAIN.replace(' HTTP/1.1', ''), { target: '/a?b=1' }],
  ])('takes %s', (_, line, wanted) => {
    expect(parseLogLine(line)).toMatchObject(wanted);
  });

  it.each([
    '',
    '-',
    'hello',
    PLAIN.replace('Oct', 'Okt'),
    PLAIN.replace('GET ', '\\x16\\x03 '),
    PLAIN.slice(0, 60),
  ])('refuses %s', (line) => {
    expect(parseLogLine(line)).toBeNull();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => parseLogLine(text) === null || text.length > 20));
    fc.assert(
      fc.property(fc.nat(PLAIN.length), fc.string({ maxLength: 4 }), (at, text) => {
        parseLogLine(PLAIN.slice(0, at) + text + PLAIN.slice(at));
      }),
    );
  });

  it('knows zones', () => {
    expect(parseLogTime('01/Jan/2020:00:30:00 -0130')).toBe(Date.UTC(2020, 0, 1, 2, 0, 0));
    expect(parseLogTime('1/Jan/2020:00:30:00 +0000')).toBeNull();
  });
});

describe('readAccessLog', () => {
  const at = (second: number, path: string) => PLAIN.replace(':18 ', `:${second} `).replace('/a?b=1', path);

  it('sorts by time, spreads a second, counts what is malformed', async () => {
    const file = join(folder, 'mixed.log.gz');
    writeFileSync(file, gzipSync([at(20, '/late'), 'broken', at(18, '/one'), '', at(18, '/two')].join('\n')));
    const log = await readAccessLog(file);
    expect(log.requests.map(({ target, atMs }) => [target, atMs % 60_000])).toEqual([
      ['/one', 18_000],
      ['/two', 18_500],
      ['/late', 20_000],
    ]);
    expect(log).toMatchObject({ lines: 5, malformed: 1, malformedLines: [{ line: 2, text: 'broken' }] });
  });

  it('says plainly what is wrong with a file', async () => {
    const broken = join(folder, 'broken.log.gz');
    writeFileSync(broken, 'no gzip at all');
    for (const path of [join(folder, 'absent.log'), join(folder, 'absent.log.gz'), broken])
      await expect(readAccessLog(path)).rejects.toThrow(PicketError);
  });
});
