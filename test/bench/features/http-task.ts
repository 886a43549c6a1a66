/** A task that is a request, beside one that is not. */
import { Celeriac } from 'celeriac';

export const app = new Celeriac('blog');
export const check = app.task('comments.check', (comment: { id: string }) => comment.id);
export const resize = app.http('images.resize', { url: 'https://images.example.org/resize' });
