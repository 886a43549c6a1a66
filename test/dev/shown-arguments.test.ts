/** What a developer reads of a task's arguments: what its sender has shown, and no more. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { ShownArguments } from '../../lib/dev/shown-arguments.ts';
import type { Delivery } from '../../lib/ports/delivery.ts';

async function bodiesOf(
  send: (task: (name: string, options?: object) => Promise<unknown>) => Promise<void>,
): Promise<Delivery[]> {
  const app = new Celeriac('shop');
  const pay = app.task('pay', (_name: string) => 1);
  using world = new World(app);
  await send((name, options = {}) => pay.applyAsync([name], options));
  return world.broker.peekAll('default').map(({ body }, index) => ({
    body,
    messageId: String(index),
    receipt: '',
    queue: 'default',
    receiveCount: 1,
  }));
}

describe('arguments that are shown', () => {
  it('are those of the message, cut; a sender may show others', async () => {
    const shown = new ShownArguments();
    const sent = await bodiesOf(async (pay) => {
      await pay('ada', { taskId: 'plain' });
      await pay('x'.repeat(500), { taskId: 'long' });
      await pay('4111 1111 1111 1111', { taskId: 'secret', argsrepr: '(<card>)' });
    });
    shown.note(sent);
    expect([shown.of('plain'), shown.of('secret')]).toEqual(["('ada',)", '(<card>)']);
    expect(shown.of('long')?.length).toBeLessThanOrEqual(49);
    for (const other of ['nobody', undefined, 7]) expect(shown.of(other)).toBeUndefined();
  });

  it('of what cannot be read there are none, and no more than the newest are kept', async () => {
    const shown = new ShownArguments();
    const [delivery] = await bodiesOf(async (pay) => void (await pay('ada', { taskId: 'task-00000' })));
    shown.note([{ ...(delivery as Delivery), body: 'no message' }]);
    const { body } = delivery as Delivery;
    const text = Buffer.from(body, 'base64').toString('utf8');
    for (let index = 0; index <= 1000; index += 1) {
      const other = text.replaceAll('task-00000', `task-${String(index).padStart(5, '0')}`);
      shown.note([{ ...(delivery as Delivery), body: Buffer.from(other).toString('base64') }]);
    }
    expect([shown.of('task-00000'), shown.of('task-00001'), shown.of('task-01000')]).toEqual([
      undefined,
      "('ada',)",
      "('ada',)",
    ]);
  });
});
