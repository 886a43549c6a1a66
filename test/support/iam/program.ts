/** Tasks that do all that tasks may do: what a worker's role is for. */
import type { Codec } from 'celeriac/codec';
import { Celeriac, chord, crontab, every, group, Reject, silentLogger } from 'celeriac';

export const APP = 'rights';

// What is large is small here, so that a life of all of it takes seconds.
const STORED_ABOVE_BYTES = 8192;
/** More than messages and records hold themselves then. */
export const LARGE: string = 'large '.repeat(2000);

/** One program for all roles: deployed, each is a bundle of its own. @param large whether its arguments and results may be large @param storeAboveBytes from where on they are @param codec encrypts them */
export function declare(large = false, storeAboveBytes: number = STORED_ABOVE_BYTES, codec?: Codec) {
  const app = new Celeriac(APP, {
    queues: { default: {}, orders: { fifo: true }, celery: { external: true } },
    timerShards: 4,
    ...(large ? { largePayloads: { compression: 'none', storeAboveBytes } } : {}),
    ...(codec === undefined ? {} : { codec }),
    logger: silentLogger,
  });
  const add = app.task('add', (x: number, y: number) => x + y);
  const sum = app.task('sum', (values: readonly number[]) => values.reduce((total, value) => total + value, 0));
  const echo = app.task('echo', (text: string) => text);
  const lengths = app.task('lengths', (texts: readonly string[]) => texts.map((text) => text.length));
  const forget = app.task('forget', (id: string) => app.result(id).forget());
  const fail = app.task('fail', (): number => {
    throw new TypeError('no answer');
  });
  const again = app.task('again', { bind: true, retryBackoff: false }, (self): number => {
    if (self.request.retries === 0) throw self.retry({ countdown: 0 });
    if (self.request.retries === 1) throw self.retry({ countdown: 2000 });
    return self.request.retries;
  });
  const refuse = app.task('refuse', (text = 'not mine') => {
    throw new Reject(text);
  });
  const requeue = app.task('requeue', { bind: true }, (self) => {
    if (self.request.deliveryInfo.deliveries < 2) throw new Reject('later', { requeue: true });
  });
  const progress = app.task('progress', { bind: true }, async (self) => {
    await self.progress(1, 2);
    return self.remainingTime();
  });
  const limited = app.task('limited', { rateLimit: '1/m' }, (_text?: string) => 1);
  const single = app.task('single', { concurrency: 1 }, () => 1);
  const only = app.task('only', { unique: { key: (name: string) => name } }, (name: string) => name);
  const held = app.task('held', { bind: true, unique: { key: 'held' } }, (self, text: string): number => {
    throw self.retry({ countdown: 2000, exc: new Error(text) });
  });
  const begun = app.task('begun', { unique: { key: 'begun', until: 'started' } }, () => 1);
  const late = app.task('late', { debounce: { wait: 1 } }, (text: string) => text);
  const alone = app.task('alone', { oneInstance: true }, () => 1);
  const line = app.task('line', { oneInstance: { whenLocked: 'wait' } }, () => 1);
  const shared = app.task('shared', { concurrency: { limit: 2, scope: 'app', key: () => 'all' } }, () => 1);
  const remote = app.remote<(x: number) => number>('proj.tasks.double', { queue: 'celery' });
  const sender = app.task('sender', async () => {
    await add.delay(1, 1);
    for (const each of ['of a task', 'of a task']) await only.delay(each);
    await app.sendMany([only.s('of many'), only.s('of more')]);
    for (const text of ['of a task', 'of the same task']) await late.delay(text);
    await remote.delay(1);
    await add.applyAsync([1, 1], { queue: 'orders' });
    await add.applyAsync([1, 1], { countdown: 2000 });
    await add.applyAsync([1, 1], { queue: 'orders', countdown: 60 });
    await (await group([add.s(1, 1), add.s(2, 2)]).delay()).revoke();
    const saved = await group([add.s(1, 1), add.s(2, 2)]).delay();
    await saved.save();
    await saved.forget();
    await (await chord([add.s(1, 1), add.s(2, 2)], sum.s()).delay()).forget();
  });
  app.beat({
    ruled: { task: add.s(1, 2), schedule: crontab({ minute: '*/15' }) },
    swept: { task: add.s(3, 4), schedule: every('30s') },
    ordered: { task: add.s(5, 6), schedule: every('30s'), options: { queue: 'orders' } },
  });
  return {
    app,
    add,
    echo,
    lengths,
    forget,
    sum,
    fail,
    again,
    refuse,
    requeue,
    progress,
    sender,
    remote,
    limited,
    single,
    alone,
    line,
    shared,
    only,
    held,
    begun,
    late,
  };
}

export type Program = ReturnType<typeof declare>;
