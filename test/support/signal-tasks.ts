/** A worker's tasks whose app has handlers: for its bundle. */
import { Celeriac } from 'celeriac';

const app = new Celeriac('blog');
const told: string[] = [];

app.task('comments.check', { onSuccess: () => told.push('onSuccess') }, () => 1);
for (const name of ['taskPrerun', 'taskSuccess', 'taskPostrun'] as const)
  app.on(name, () => {
    told.push(name);
    if (name === 'taskPostrun') process.stderr.write(`${told.join(' ')}\n`);
  });

export default app;
