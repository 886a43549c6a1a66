/** Its failures are posted. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('blog');
export const check = app.task(
  'comments.check',
  { webhook: { url: 'https://billing.example.org/hooks', on: ['FAILURE'] } },
  (comment: { id: string }) => comment.id,
);
