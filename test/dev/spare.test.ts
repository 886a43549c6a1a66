/** The next process of workers waits until the code changes. */
import { expect, it } from 'vitest';

import { isReadBefore, Spare } from '../../lib/dev/spare.ts';
import type { WorkerProcess } from '../../lib/dev/supervisor.ts';

function spares() {
  const made: { readonly process: WorkerProcess; readonly end: () => void; killed: boolean }[] = [];
  const spare = new Spare(() => {
    const { promise: gone, resolve } = Promise.withResolvers<{ code: number | null; signal: string | null }>();
    const one = {
      killed: false,
      end: () => resolve({ code: 1, signal: null }),
      process: { send: () => {}, onMessage: () => {}, gone, kill: () => void (one.killed = true) },
    };
    made.push(one);
    return one.process;
  });
  return { spare, made };
}

it('what waits is taken, once', () => {
  const { spare, made } = spares();
  const first = spare.take();
  spare.prepare();
  spare.prepare();
  expect(made).toHaveLength(2);
  expect([spare.take(), spare.take()]).toEqual([made[1]?.process, made[2]?.process]);
  expect(first).toBe(made[0]?.process);
});

it('what died while it waited is not taken', async () => {
  const { spare, made } = spares();
  spare.prepare();
  made[0]?.end();
  await new Promise((resolve) => setImmediate(resolve));
  expect(spare.take()).toBe(made[1]?.process);
});

it('what has read an older tsconfig.json is not taken, and none is left in the end', () => {
  const { spare, made } = spares();
  spare.prepare();
  spare.drop();
  expect([made[0]?.killed, spare.take()]).toEqual([true, made[1]?.process]);
  spare.prepare();
  spare.end();
  spare.prepare();
  expect(made.map(({ killed }) => killed)).toEqual([true, false, true]);
});

it.each([
  ['tsconfig.json', true],
  ['tsconfig.base.json', true],
  ['api/package.json', true],
  ['src/tasks.ts', false],
  ['src/package.json.ts', false],
  ['prices.json', false],
])('%s is read before code: %s', (path, expected) => expect(isReadBefore(path)).toBe(expected));
