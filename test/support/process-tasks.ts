/** Tasks of a worker process: `celeriac worker --app test/support/process-tasks.ts`. What they do stands in a file, for the test to read. */
import { appendFileSync, existsSync } from 'node:fs';

import { Celeriac } from 'celeriac';

export const app = new Celeriac('process', {
  queues: { default: {}, video: { worker: 'process', priorities: [0, 5] }, ordered: { worker: 'process', fifo: true } },
});

function note(...what: readonly (string | number)[]): void {
  const file = process.env['NOTES'];
  if (file !== undefined) appendFileSync(file, `${what.join(' ')} ${process.pid} ${app.clock.nowMs()}\n`);
}

/** Where the test tells a run that it may end: a file beside the notes. */
export const releaseOf = (notes: string, name: string): string => `${notes}.${name}`;

async function released(name: string): Promise<void> {
  const file = releaseOf(process.env['NOTES'] ?? '', name);
  while (!existsSync(file)) await app.clock.sleep(50);
}

async function run(name: string, until: number | 'released'): Promise<string> {
  note('begins', name);
  await (until === 'released' ? released(name) : app.clock.sleep(until * 1000));
  note('ends', name);
  return name;
}

/** Longer than a Lambda function may run. */
export const render = app.task('render', { queue: 'video', timeLimit: '2h' }, run);
export const single = app.task('single', { queue: 'video', oneInstance: { whenLocked: 'wait' } }, run);
export const step = app.task('step', { queue: 'ordered' }, run);
export const quick = app.task('quick', (name: string) => name);

/** It goes on from its checkpoint, in whichever process. */
export const inParts = app.task('inParts', { bind: true, queue: 'video', maxParts: 5 }, async (self, name: string) => {
  note(self.state === undefined ? 'begins' : `part-${self.part}-from-${JSON.stringify(self.state)}`, name);
  if (self.state === undefined) {
    await self.checkpoint('half');
    note('stored', name);
    await released(name);
  }
  note('ends', name);
  return self.part;
});

/** May be lost once: what ends with it for the second time is lost for good. */
export const fragile = app.task(
  'fragile',
  { queue: 'video', maxDeliveries: 2 },
  async (name: string, until: number | 'released' | 'killed') => {
    if (until !== 'killed') return run(name, until);
    note('begins', name);
    await released(name);
    process.kill(process.pid, 'SIGKILL');
    return name;
  },
);
