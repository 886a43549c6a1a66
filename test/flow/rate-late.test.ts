/** Slots that pass before their tasks come: backlogs never start at once, however often the queue stands still, and all start some day. */
import { Celeriac, silentLogger, type TaskOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { expect, it } from 'vitest';

const GRACE_SECONDS = 10;

interface Ran {
  readonly world: World;
  /** Milliseconds since the epoch. */
  readonly starts: number[];
}

async function sent(count: number, options: TaskOptions, world: WorldOptions): Promise<Ran> {
  const app = new Celeriac('late', { logger: silentLogger });
  const starts: number[] = [];
  const task = app.task('work', options, () => {
    starts.push(ran.world.clock.nowMs());
  });
  const ran = { world: new World(app, world), starts };
  for (let n = 0; n < count; n += 1) await task.delay();
  return ran;
}

function mostIn(starts: readonly number[], windowMs: number): number {
  return Math.max(...starts.map((from) => starts.filter((ms) => ms >= from && ms < from + windowMs).length));
}

/** What the page promises: of what is late again half as many more. */
function allowedIn(seconds: number, perMinute: number, burst: number): number {
  return Math.ceil((perMinute * (1.5 * seconds + GRACE_SECONDS + 1)) / 60) + burst + 1;
}

/** What workers send arrives later than it should. */
function arriving(laterSeconds: (dueMs: number) => number): WorldOptions {
  return {
    wrapPorts: (ports) => ({
      ...ports,
      broker: Object.assign(Object.create(ports.broker) as typeof ports.broker, {
        send: (messages: Parameters<typeof ports.broker.send>[0]) =>
          ports.broker.send(
            messages.map((each) => {
              const { delaySeconds = 0 } = each;
              const dueMs = ports.clock.nowMs() + delaySeconds * 1000;
              return { ...each, delaySeconds: Math.min(900, delaySeconds + laterSeconds(dueMs)) };
            }),
          ),
      }),
    }),
  };
}

it.each([60, 300])('starts no backlog at once in a queue that opens every %i s', async (seconds) => {
  const untilOpen = (dueMs: number): number => (Math.ceil(dueMs / 1000 / seconds) * seconds * 1000 - dueMs) / 1000;
  const { world, starts } = await sent(
    60,
    { rateLimit: '12/m' },
    arriving((dueMs) => Math.ceil(untilOpen(dueMs))),
  );
  await world.drain();
  expect(starts).toHaveLength(60);
  expect(mostIn(starts, 60_000)).toBeLessThanOrEqual(allowedIn(60, 12, 1));
  world.dispose();
});

it.each([15, 30, 100])('starts all in a queue that is always %i s late, and not too many', async (lateSeconds) => {
  const { world, starts } = await sent(
    100,
    { rateLimit: '20/m' },
    arriving(() => lateSeconds),
  );
  const startMs = world.clock.nowMs();
  await world.drain();
  expect(starts).toHaveLength(100);
  expect(mostIn(starts, 60_000)).toBeLessThanOrEqual(allowedIn(60, 20, 1));
  // Five minutes in a queue that is on time.
  expect(Math.max(...starts) - startMs).toBeLessThan(4 * 300_000);
  world.dispose();
});
