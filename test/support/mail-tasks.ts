/** Tasks that fail, in a process and in a function: `celeriac worker --app test/support/mail-tasks.ts`. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('mails', { queues: { default: {}, slow: { worker: 'process' } } });

export const failing = app.task('failing', { queue: 'slow' }, (order: number) => {
  throw new TypeError(`no card for ${order}`);
});

export const failingInFunction = app.task('failingInFunction', () => {
  throw new TypeError('no card in a function');
});
