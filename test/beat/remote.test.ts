/** Schedule entries of tasks that run elsewhere. */
import { Celeriac, every, silentLogger, tickId } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { decodeMessage } from '../../lib/wire/decode-message.ts';

const START = Date.UTC(2030, 0, 1);

it('are swept to the queue of their workers, complete, once a tick', async () => {
  const app = new Celeriac('remote', { queues: { default: {}, celery: { external: true } }, logger: silentLogger });
  const report = app.remote<(day: string) => void>('proj.report', { queue: 'celery' });
  app.beat({ report: { task: report.s('monday'), schedule: every('10m') } });
  expect(app.manifest().beat[0]).toMatchObject({ firedBy: 'sweep', reason: expect.stringContaining('elsewhere') });
  expect(app.manifest().tasks['proj.report']).toMatchObject({ queue: 'celery', remote: true });
  const world = new World(app, { start: START });
  await world.advance('25m');
  const messages = world.broker.peekAll('celery').map(({ body }) => decodeMessage(body));
  const ticks = [10, 20].map((minutes) => START + minutes * 60_000);
  expect(messages.map(({ id }) => id)).toEqual(ticks.map((tick) => tickId('report', tick)));
  for (const message of messages) expect(message).toMatchObject({ task: 'proj.report', args: ['monday'], kwargs: {} });
});
