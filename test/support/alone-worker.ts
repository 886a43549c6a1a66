/**
 * A worker in a process of its own: tasks that do not run beside themselves, and code under a lock. It tells the test what it does,
 * and waits where the test says.
 */
import { Celeriac, type Delivery, type Invocation, silentLogger } from 'celeriac';

/** What a worker tells of itself. */
export interface Note {
  readonly pid: number;
  readonly what: string;
  readonly name: string;
  readonly token?: number;
}

/** What is sent to it. */
export type Order = { readonly go: string } | { readonly deliveries: Delivery[]; readonly invocation: Invocation };

export const app = new Celeriac('alone', {
  queues: { default: { batchConcurrency: 1 } },
  logger: silentLogger,
});

const going = new Map<string, PromiseWithResolvers<void>>();

/** Until the test says so. */
function told(name: string): Promise<void> {
  const known = going.get(name) ?? Promise.withResolvers<void>();
  going.set(name, known);
  return known.promise;
}

function note(what: string, name: string, token?: number): void {
  process.send?.({ pid: process.pid, what, name, ...(token === undefined ? {} : { token }) } satisfies Note);
}

async function run(name: string): Promise<string> {
  note('begins', name);
  await told(name);
  note('ends', name);
  return name;
}

/** What comes while it runs is left out. */
export const reindex = app.task('reindex', { oneInstance: true }, run);
/** One after another. */
export const load = app.task('load', { oneInstance: { whenLocked: 'wait' } }, run);
/** Under a lock of three seconds. */
export const move = app.task('move', (name: string, wait: number) =>
  app.locks.with('store', { ttl: 3, wait, info: name }, async (lock) => {
    note('begins', name, lock.token);
    await told(name);
    note('ends', name, lock.token);
    return lock.token;
  }),
);

function obey(order: Order): void {
  if ('go' in order) {
    const known = going.get(order.go) ?? Promise.withResolvers<void>();
    going.set(order.go, known);
    known.resolve();
    return;
  }
  void app.consume(order.deliveries, order.invocation).then((response) => process.send?.(response));
}

// Forked it is a worker; the test imports its tasks.
if (process.send !== undefined && process.argv[2] === 'worker') {
  process.on('message', obey);
  await app.ports();
  process.send('ready');
}
