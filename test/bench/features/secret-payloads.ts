/** What is stored is encrypted. */
import { Celeriac } from 'celeriac';
import { aesGcm } from 'celeriac/codec';

export const app = new Celeriac('blog', {
  codec: aesGcm({ keys: () => `k:${Buffer.alloc(32, 1).toString('base64')}` }),
});
export const check = app.task('comments.check', (comment: { id: string }) => comment.id);
