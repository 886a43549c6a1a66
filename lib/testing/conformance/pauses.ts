/** What every store of pauses must do. Cases share one store and keep to queues of their own. */
import { deepEqual, equal } from 'node:assert/strict';

import type { Pause, Pauses } from '../../ports/pauses.ts';
import type { ConformanceCase } from './case.ts';

const SINCE_MS = 1_900_000_000_000;

/** What every store of pauses must do, as cases. They share one store. */
export function pausesConformance(pauses: Pauses): ConformanceCase[] {
  const own = async (prefix: string): Promise<Pause[]> =>
    (await pauses.list()).filter(({ queue }) => queue.startsWith(prefix));
  return [
    {
      name: 'a queue is paused by who said so first, with all that was said',
      async run() {
        const first = {
          queue: 'a-mail',
          sinceMs: SINCE_MS,
          by: 'ada',
          why: 'the relay is down',
          eventSources: ['x', 'y'],
        };
        deepEqual(await pauses.put(first), first);
        deepEqual(await pauses.put({ queue: 'a-mail', sinceMs: SINCE_MS + 1, by: 'bob' }), first);
        deepEqual(await own('a-'), [first]);
      },
    },
    {
      name: 'they are listed in the order of their names, without what was not said',
      async run() {
        const [second, first] = ['b-two', 'b-one'].map((queue) => ({ queue, sinceMs: SINCE_MS, by: 'ada' }));
        for (const pause of [second, first]) if (pause !== undefined) await pauses.put(pause);
        deepEqual(await own('b-'), [first, second]);
      },
    },
    {
      name: 'a pause that is taken away is told, once, and another one can follow',
      async run() {
        const pause = { queue: 'c-mail', sinceMs: SINCE_MS, by: 'ada' };
        await pauses.put(pause);
        deepEqual(await pauses.remove('c-mail'), pause);
        equal(await pauses.remove('c-mail'), undefined);
        deepEqual(await own('c-'), []);
        const next = { ...pause, by: 'bob' };
        deepEqual(await pauses.put(next), next);
      },
    },
  ];
}
