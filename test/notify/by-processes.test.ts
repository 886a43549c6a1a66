/** Where processes send the mails: functions and the sweeper mark and count, and each process looks once a minute. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { sentBy } from '../../lib/notify/send.ts';
import type { Mail, Notifying } from '../../lib/ports/notices.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { watchMails } from '../../lib/process/mail-watch.ts';

interface Sender {
  isDown: boolean;
  readonly mails: Mail[];
}

/** Nobody in this world sends but processes. */
async function begun(processes: number) {
  const app = new Celeriac('shop');
  const charge = app.task('orders.charge', { maxRetries: 0 }, (order: string) => {
    throw new TypeError(`no card for ${order}`);
  });
  const logged: unknown[] = [];
  const silent = ({ notify }: Ports): Pick<Ports, 'notify'> => ({
    notify: notify && (async () => ({ ...(await notify()), notifier: undefined })),
  });
  const world = new World(app, {
    notify: { window: '15m' },
    wrapPorts: (ports) => ({ ...ports, ...silent(ports) }),
    logger: { log: (_level, _text, fields) => void logged.push(fields?.['code']) },
  });
  const sender: Sender = { isDown: false, mails: [] };
  const over = new AbortController();
  const { history, clock, logger } = world.ports;
  if (history === undefined) throw new Error('no history');
  const notifier = {
    send: async (mail: Mail) => {
      // A server takes a while: others look meanwhile.
      await clock.sleep(100);
      if (sender.isDown) throw new Error('down');
      sender.mails.push(mail);
    },
  };
  const notifying = (await sentBy(notifier, world.ports.notify)?.()) as Notifying & { notifier: typeof notifier };
  for (let count = 0; count < processes; count += 1)
    clock.schedule(1000 * count, () => void watchMails({ notifying, history, clock, logger }, over.signal));
  const stop = (): void => {
    over.abort();
    world[Symbol.dispose]();
  };
  return { world, charge, sender, logged, stop };
}

const subjects = ({ mails }: Sender): string[] => mails.map(({ subject }) => subject.replace(/ \(.*\)/, ''));

describe('a thousand failures of functions, told by processes', () => {
  it.each([1, 3])('%i of them: one mail within three minutes, and one digest', async (processes) => {
    const { world, charge, sender, stop } = await begun(processes);
    for (let count = 0; count < 1000; count += 1) await charge.delay(`order ${count}`);
    await world.advance('1s');
    expect(world.mails).toEqual([]);
    await world.advance('3m');
    expect(subjects(sender)).toEqual(['[shop] Error: Task orders.charge: TypeError: no card for ...']);
    await world.advance('20m');
    expect(subjects(sender).slice(1)).toEqual(['[shop] 1,000 errors in 15 minutes: Task orders.charge']);
    await world.advance('1d');
    expect(sender.mails).toHaveLength(2);
    stop();
  });

  it('the server is away for two hours: logged, and all is told when it is back', async () => {
    const { world, charge, sender, logged, stop } = await begun(2);
    sender.isDown = true;
    for (let count = 0; count < 60; count += 1) {
      await charge.delay('x');
      await world.advance('1m');
    }
    await world.advance('1h');
    expect(sender.mails).toEqual([]);
    expect(logged).toContain('NOTIFICATION_FAILED');
    sender.isDown = false;
    await world.advance('1h');
    // The window that nobody could be told of has gone on.
    expect(subjects(sender)[0]).toBe('[shop] Error: Task orders.charge: TypeError: no card for x');
    expect(subjects(sender)[1]).toMatch(/^\[shop\] 60 errors in .*: Task orders\.charge$/);
    expect(sender.mails).toHaveLength(2);
    stop();
  });
});

it('nothing failed: a process asks at once and each minute, and nothing else', async () => {
  const { world, sender, stop } = await begun(1);
  const asked: string[] = [];
  const notifying = await world.ports.notify?.();
  if (notifying === undefined) throw new Error('nobody');
  const window = notifying.notices.window.bind(notifying.notices);
  notifying.notices.window = () => {
    asked.push('window');
    return window();
  };
  await world.advance('10m');
  expect([asked.length, sender.mails]).toEqual([11, []]);
  stop();
});
