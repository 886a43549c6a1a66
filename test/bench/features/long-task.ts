/** A task of several invocations. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('blog');
export const check = app.task('comments.check', { bind: true, maxParts: 10 }, async (self, comment: { id: string }) => {
  await self.checkpoint(comment.id, { every: 10 });
  return comment.id;
});
