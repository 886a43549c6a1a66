/** A worker with an HTTP task, under the name that test events call. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('blog', { queues: { default: {} } });
export const check = app.http('comments.check', {
  url: 'https://127.0.0.1:9001/',
  allowPrivate: ['127.0.0.1'],
  maxRetries: 0,
});
