/** Tasks that log, for test/handlers/runtime.test.ts. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('logs');

app.task('speak', { bind: true }, (self, name: string) => {
  self.logger.info('hello', { name, level: 'DEBUG', message: 'mine', timestamp: 0, requestId: 'mine', taskId: 'mine' });
  self.logger.debug('not shown');
  return name.length;
});
app.task('break', (): void => {
  throw new TypeError('two\nlines');
});
