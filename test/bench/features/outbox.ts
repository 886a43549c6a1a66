/** A task that has another one join its own transaction. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('blog');
export const ship = app.task('orders.ship', (order: string) => order);
export const check = app.task('comments.check', async (comment: { id: string }) => {
  if (comment.id !== 'c') await ship.s(comment.id).toTransactItem();
  return comment.id;
});
