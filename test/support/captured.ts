// Streams that keep what a command writes. For tests that run `picket` commands in process.

import { Writable } from 'node:stream';
import type { CommandIo } from '../../cli/command.ts';

export function captured(env: Record<string, string> = {}): {
  readonly io: CommandIo;
  readonly out: () => string;
  readonly err: () => string;
} {
  const text = { out: '', err: '' };
  const keep = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        text[name] += chunk.toString('utf8');
        done();
      },
    });
  return { io: { stdout: keep('out'), stderr: keep('err'), env }, out: () => text.out, err: () => text.err };
}
