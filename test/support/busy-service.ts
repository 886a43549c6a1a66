/** A service with everything that a monitor is opened for: tasks that succeed, fail, retry, wait, are put aside and parked. */
import { Celeriac, crontab, every, Reject } from 'celeriac';

export interface BusyService {
  readonly app: Celeriac;
  /** Lets those end that hold their slots. */
  readonly release: () => void;
}

/** Markup, an override of the direction of text, and more of it than fits. */
export const HOSTILE = `<img src=x onerror="document.title='taken'"> \u202Efdp.exe ${'long '.repeat(200)}`;

export function busyApp(): BusyService {
  const app = new Celeriac('shop', {
    queues: { default: {}, mail: {}, reports: {}, shipping: {} },
    // Who holds a slot is in no batch with others, whose ends would be in the history when it ends.
    routes: { 'mail.*': 'mail', 'reports.*': 'reports', 'orders.ship': 'shipping' },
  });
  const gate = Promise.withResolvers<void>();
  app.task('orders.charge', { rateLimit: '1000/s' }, (who: string, cents: number) => ({ who, cents }));
  app.task('orders.total', (order: string) => {
    throw new TypeError(`Cannot read properties of undefined (reading 'total') of ${order}`);
  });
  app.task('blog.render_comment', (text: string) => {
    throw new Error(text);
  });
  app.task('mail.welcome', { bind: true, maxRetries: 2 }, (self, _address: string) => {
    throw self.retry({ countdown: self.request.retries === 0 ? 1 : 600, exc: new Error('421 try later') });
  });
  app.task('mail.receipt', { maxRetries: 0 }, (address: string) => {
    throw new Reject(`address ${address} is blocked`);
  });
  app.task('mail.digest', (week: number) => {
    if (week < 10) throw new Reject('template digest.html is missing');
    return 'sent';
  });
  const build = app.task('reports.build', () => 'built');
  app.beat({
    'nightly-report': {
      task: build.s(),
      schedule: crontab({ minute: 30, hour: 2 }, { timezone: 'Europe/Berlin' }),
    },
    'friday-13th': { task: build.s(), schedule: crontab({ minute: 0, hour: 0, dayOfMonth: 13, dayOfWeek: 'fri' }) },
    hourly: { task: build.s(), schedule: every('1h') },
  });
  app.task('orders.checkout', { bind: true }, async () => {
    await Promise.all([app.send('orders.charge', ['child', 1]), app.send('orders.charge', ['child', 2])]);
    return 'sent';
  });
  app.task('orders.ship', { concurrency: { limit: 1, key: (country: string) => country } }, async (country: string) => {
    await gate.promise;
    return country;
  });
  return { app, release: () => gate.resolve() };
}

/** Sends some of each. */
export async function makeBusy({ app }: BusyService): Promise<void> {
  const sent: Promise<unknown>[] = [];
  for (let index = 0; index < 30; index += 1) sent.push(app.send('orders.charge', ['ada', 100 + index]));
  for (let index = 0; index < 4; index += 1) sent.push(app.send('orders.total', [`order-${index}`]));
  for (let index = 0; index < 3; index += 1) sent.push(app.send('mail.receipt', [`user${index}@example.com`]));
  for (let index = 0; index < 2; index += 1) sent.push(app.send('mail.digest', [index]));
  for (let index = 0; index < 3; index += 1) sent.push(app.send('orders.ship', ['DE']));
  sent.push(
    app.send('blog.render_comment', [HOSTILE]),
    app.send('mail.welcome', ['alan@example.com']),
    app.send('orders.charge', ['later', 1], { countdown: 7200 }),
    app.send('orders.checkout', []),
  );
  await Promise.all(sent);
}
