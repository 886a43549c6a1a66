/** A task that gives the address of another one's state. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('blog');
export const check = app.task('comments.check', async (comment: { id: string }) =>
  comment.id === 'c' ? comment.id : app.result(comment.id).statusUrl({ expires: '10m' }),
);
