/** Schedule entries whose runs take longer than their interval, of tasks that do not run beside themselves. */
import { type Celeriac, crontab, every } from 'celeriac';

import type { Clock } from '../../../lib/base/time.ts';
import { INSTANCE_QUEUE, type InstanceName, INSTANCE_TICKS } from './instances.ts';
import type { Notes } from './load.ts';

const SECONDS: Readonly<Record<keyof typeof INSTANCE_TICKS, number>> = { alone: 100, turns: 60 };

// A store that takes its time leaves a run half of it.
const OPTIONS = { bind: true, queue: INSTANCE_QUEUE, timeLimit: 220 } as const;

export function declareInstanceTicks(app: Celeriac, ledger: Notes, clock: () => Clock | undefined): void {
  const declare = (name: keyof typeof INSTANCE_TICKS & InstanceName, whenLocked: 'skip' | 'wait') =>
    app.task(INSTANCE_TICKS[name], { ...OPTIONS, oneInstance: { whenLocked } }, (self) => {
      const { schedule, id, retries: attempt } = self.request;
      const run = async (): Promise<void> => {
        const atMs = clock()?.nowMs() ?? 0;
        ledger.run({ key: id, id, attempt, prev: undefined, atMs }, false);
        if (schedule !== undefined)
          ledger.ticks.push({ entry: schedule.entry, scheduledMs: schedule.scheduledTime.getTime(), id, atMs });
        await clock()?.sleep(SECONDS[name] * 1000);
      };
      return ledger.instances?.during(self, name, '', run) ?? run();
    });
  const [alone, turns] = [declare('alone', 'skip'), declare('turns', 'wait')];
  app.beat({
    // Fired by a rule, and by the sweep.
    alone: { task: alone.s(), schedule: crontab({}, { timezone: 'UTC' }) },
    turns: { task: turns.s(), schedule: every('50s'), catchUp: 'all' },
  });
}
