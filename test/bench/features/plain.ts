/** A worker that uses nothing but a task: what the others are held against. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('blog');
export const check = app.task('comments.check', (comment: { id: string }) => comment.id);
