// A thread behind promises: answers find their calls, refusals keep their code, and a dead thread is started anew.

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { WorkerLink } from './worker-link.ts';

const FILE = fileURLToPath(new URL('../testing/mortal-worker.ts', import.meta.url));

/** Calls until the thread answers again. */
async function answersAgain(link: WorkerLink): Promise<unknown> {
  for (;;) {
    try {
      return await link.call('echo', ['back']);
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe('worker link', () => {
  test('many calls at once get their own answers; refusals are coded errors', async () => {
    const link = await WorkerLink.start(FILE, {});
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    expect(await Promise.all(numbers.map((n) => link.call('echo', [n])))).toEqual(numbers);
    await expect(link.call('refuse', [])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'no',
      hint: 'look',
    });
    await link.close();
    await link.close();
    await expect(link.call('echo', [1])).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });

  test.each(['die', 'throw'])(
    'when the thread ends by "%s", waiting calls fail and a new one serves',
    async (how) => {
      const link = await WorkerLink.start(FILE, {});
      const waiting = link.call('ignore', []);
      const fatal = link.call(how, []);
      await expect(waiting).rejects.toMatchObject({ code: 'STORE_FAILED' });
      await expect(fatal).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(await answersAgain(link)).toBe('back');
      await link.close();
    },
  );

  test('a thread that cannot start is an error at once', async () => {
    await expect(WorkerLink.start(`${FILE}.missing.ts`, {})).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });
});
