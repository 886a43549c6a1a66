/** Tasks that show what a deployed service does in plain weather and in foul. */
import { setTimeout as sleep } from 'node:timers/promises';

import { type AppOptions, Celeriac, crontab, currentTask, every, Reject } from 'celeriac';

export interface Version {
  readonly version: number;
  readonly queues: NonNullable<AppOptions['queues']>;
  /** Minutes of the entry that becomes a rule. */
  readonly minutes: string;
}

/** Each run says how often its message had been delivered. */
function deliveries(): number {
  return currentTask().request.deliveryInfo.deliveries;
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- what it makes is what it says
export function drills({ version, queues, minutes }: Version) {
  const app = new Celeriac('drills', {
    queues,
    routes: { 'second.*': 'second', 'ordered.*': 'ordered' },
    largePayloads: { compression: 'none' },
  });
  const add = app.task('add', (left: number, right: number) => left + right);
  const sum = app.task('sum', (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0));
  const double = app.task('second.double', (given: number) => 2 * given);
  /** Another version sees the tasks that this one was sent. */
  const nap = app.task('second.nap', async (seconds: number, label: string) => {
    await sleep(seconds * 1000);
    return { label, version };
  });
  const stubborn = app.task('stubborn', { bind: true, maxRetries: 3 }, (self) => {
    if (self.request.retries < 2) throw self.retry({ countdown: 1 });
    return self.request.retries;
  });
  const refuse = app.task('refuse', (why: string): string => {
    throw new Reject(why, { requeue: false });
  });
  const work = app.task('work', async (milliseconds: number) => {
    await sleep(milliseconds);
    return deliveries();
  });
  /** Takes the whole process along when it is delivered for the first time, once another task has its result. */
  const die = app.task('die', async (after: string) => {
    if (deliveries() > 1) return deliveries();
    while (!(await app.result(after).ready())) await sleep(50);
    process.kill(process.pid, 'SIGKILL');
    return 0;
  });
  const repeat = app.task('repeat', (text: string, times: number) => text.repeat(times));
  const note = app.task('ordered.note', (text: string) => text);
  const tick = app.task('tick', () => currentTask().request.schedule?.scheduledTime.toISOString() ?? 'no tick');
  app.beat({
    ruled: { task: tick.s(), schedule: crontab({ minute: minutes }) },
    swept: { task: tick.s(), schedule: every('10s') },
  });
  return { app, add, sum, double, nap, stubborn, refuse, work, die, repeat, note, tick };
}

export type Drills = ReturnType<typeof drills>;
