/** What is large goes to a bucket. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('blog', { largePayloads: {} });
export const check = app.task('comments.check', (comment: { id: string }) => comment.id);
