/** A handler of the app, and one of the task. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('blog');
export const told: string[] = [];
app.on('taskPostrun', ({ id }) => told.push(id));
export const check = app.task(
  'comments.check',
  { onSuccess: (_value, id) => void told.push(id) },
  (comment: { id: string }) => comment.id,
);
