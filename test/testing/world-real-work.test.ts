/** Tasks that do real work in a world: time stands while it is under way, and nothing waits for ever. */
import { createHook } from 'node:async_hooks';
import dns from 'node:dns/promises';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { deflate, deflateSync } from 'node:zlib';

import { Celeriac } from 'celeriac';
import { World, WorldStalled } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

const START_MS = Date.UTC(2030, 0, 1);

async function answerLate(milliseconds: number): Promise<{ url: string; close: () => void }> {
  const server = createServer((_, response) => void setTimeout(() => response.end('late'), milliseconds));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

// The world waits so long at most before it looks again; what waits longer is a guard of the test runner's.
const LONGEST_WAIT_MS = 25;

/** Milliseconds of the real timers that are waited for meanwhile: the same on a machine that is busy. */
async function realWaitMs(run: () => Promise<unknown>): Promise<number> {
  let waitMs = 0;
  const hook = createHook({
    init(_id, type, _trigger, resource: { readonly _idleTimeout?: number }) {
      const ms = type === 'Timeout' ? (resource._idleTimeout ?? 0) : 0;
      if (ms <= LONGEST_WAIT_MS) waitMs += ms;
    },
  }).enable();
  try {
    await run();
  } finally {
    hook.disable();
  }
  return waitMs;
}

function threadAnswer(): Promise<unknown> {
  const worker = new Worker(`require('node:worker_threads').parentPort.postMessage('thread')`, { eval: true });
  return new Promise((resolve) => worker.once('message', resolve));
}

describe('real work ends before time moves on', () => {
  const work: Readonly<Record<string, () => Promise<unknown>>> = {
    'a timer': () => delay(60).then(() => 'timer'),
    'many timers': async () => {
      for (let count = 0; count < 10; count += 1) await delay(10);
      return 'timers';
    },
    'an interval that looks': () =>
      new Promise((resolve) => {
        let looks = 0;
        const interval = setInterval(() => {
          looks += 1;
          if (looks < 8) return;
          clearInterval(interval);
          resolve('looked');
        }, 10);
      }),
    'a file': async () => (await readFile('package.json', 'utf8')).slice(0, 1),
    'a request': async () => {
      const server = await answerLate(60);
      try {
        return await (await fetch(server.url)).text();
      } finally {
        server.close();
      }
    },
    'a compressor': async () => (await promisify(deflate)(Buffer.alloc(5_000_000, 'ab'))).length > 0,
    'a name': async () => typeof (await dns.lookup('localhost')).address,
    'a digest': async () => (await crypto.subtle.digest('SHA-256', new Uint8Array(3))).byteLength,
    'a thread': threadAnswer,
  };

  it.each(Object.entries(work))('%s: run() returns when it is done', async (_, run) => {
    const app = new Celeriac('real');
    const ended: unknown[] = [];
    const task = app.task('real', { timeLimit: 20 }, async () => {
      ended.push(await run());
      return world.clock.nowMs();
    });
    using world = new World(app, { start: START_MS });
    const result = await task.delay();
    await world.run();
    expect(ended).toHaveLength(1);
    expect(await result.get()).toBe(START_MS);
  });

  it('a request on a connection that was opened before', async () => {
    const server = await answerLate(60);
    const agent = new (await import('node:http')).Agent({ keepAlive: true, maxSockets: 1 });
    const { get } = await import('node:http');
    const request = (): Promise<string> =>
      new Promise((resolve, reject) => {
        get(server.url, { agent }, (response) => {
          response.resume().on('end', () => resolve('answered'));
        }).on('error', reject);
      });
    await request();
    const app = new Celeriac('pooled');
    const task = app.task('pooled', { timeLimit: 20 }, request);
    using world = new World(app);
    const result = await task.delay();
    await world.advance('1h');
    expect(await result.get()).toBe('answered');
    agent.destroy();
    server.close();
  });

  it('side by side with timers of the world', async () => {
    const app = new Celeriac('mixed');
    const seen: string[] = [];
    const atMs = (): number => world.clock.nowMs() - START_MS;
    const real = app.task('real', { timeLimit: 20 }, async () => {
      await delay(40);
      await world.clock.sleep(10_000);
      await delay(40);
      seen.push(`real ${atMs()}`);
    });
    const virtual = app.task('virtual', async () => {
      await world.clock.sleep(5_000);
      seen.push(`virtual ${atMs()}`);
    });
    using world = new World(app, { start: START_MS });
    await real.delay();
    await virtual.delay();
    await real.applyAsync([], { countdown: 3 });
    await world.advance('30s');
    expect(seen).toEqual(['virtual 5000', 'real 10000', 'real 13000']);
  });

  it('days take no real time when nothing real is under way', async () => {
    const app = new Celeriac('long');
    const task = app.task('task', { bind: true, maxRetries: 30 }, (self) => {
      if (self.request.retries < 29) throw self.retry({ countdown: '1d' });
      return self.request.retries;
    });
    using world = new World(app);
    const result = await task.delay();
    // Results expire a day later.
    const waitMs = await realWaitMs(() => world.advance('29d'));
    expect(await result.get()).toBe(29);
    expect(waitMs).toBeLessThan(100);
  });
});

it('what was compressed at once is no work under way', async () => {
  const app = new Celeriac('compressed');
  const kept: unknown[] = [];
  const job = app.task('job', async () => {
    for (let count = 0; count < 20; count += 1) kept.push(deflateSync('x'.repeat(1000)));
    await new Promise(() => {});
  });
  const world = new World(app, { invocation: 60, patienceMs: 2000 });
  const result = await job.delay();
  const waitMs = await realWaitMs(() => world.advance('2m'));
  expect(await result.state()).toBe('FAILURE');
  expect(waitMs).toBeLessThan(500);
});

describe('time limits still end what waits for nothing', () => {
  const hanging: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
    'a promise that nobody settles': () => new Promise(() => {}),
    'its signal': (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    'a real timer longer than the patience': (signal) =>
      delay(60_000, undefined, { signal }).catch(() => new Promise(() => {})),
  };
  it.each(Object.entries(hanging))('%s', async (_, hang) => {
    const app = new Celeriac('limits');
    const task = app.task('hangs', { bind: true, timeLimit: 20 }, (self) => hang(self.signal));
    using world = new World(app);
    const result = await task.delay();
    const waitMs = await realWaitMs(async () => {
      await world.run();
      await world.advance('1m');
    });
    expect(await result.state()).toBe('FAILURE');
    await expect(result.get()).rejects.toThrow('The time limit of 20 s is over');
    expect(waitMs).toBeLessThan(500);
  });

  it('also beside an interval that beats for ever', async () => {
    const app = new Celeriac('beats');
    const task = app.task('hangs', { timeLimit: 20 }, async () => {
      const interval = setInterval(() => {}, 5);
      try {
        await world.clock.sleep(60_000);
      } finally {
        clearInterval(interval);
      }
    });
    using world = new World(app, { patienceMs: 400 });
    const result = await task.delay();
    await world.advance('2m');
    await expect(result.get()).rejects.toThrow('The time limit of 20 s is over');
  });
});

describe('work of the library itself', () => {
  it('may take longer than the patience while it gets on: no map is too long for a world', async () => {
    const app = new Celeriac('long');
    const item = app.task('item', (number: number) => number);
    using world = new World(app, { patienceMs: 20 });
    const result = await item.map(Array.from({ length: 100_000 }, () => 1)).delay();
    await world.run();
    expect(await result.get()).toHaveLength(100_000);
  });
});

describe('real work that never ends', () => {
  it('is named: task, id, since when, what, and what time would bring', async () => {
    const server = await answerLate(30_000);
    const app = new Celeriac('stalled');
    const asks = app.task('orders.ask', () => fetch(server.url).then(() => 1));
    const later = app.task('later', () => 2);
    using world = new World(app, { start: START_MS, patienceMs: 200 });
    const result = await asks.delay();
    // Before the running task looks whether it was revoked.
    await later.applyAsync([], { countdown: 2 });
    const error: unknown = await world.advance('1h').catch((caught: unknown) => caught);
    expect(WorldStalled.is(error)).toBe(true);
    const { message } = error as Error;
    expect(message).toContain(`orders.ask[${result.id}]`);
    expect(message).toMatch(/a connection.* since \d+\.\d s/);
    expect(message).toContain('patienceMs');
    expect(message).toContain('2030-01-01T00:00:00.000Z');
    expect(message).toContain('2030-01-01T00:00:02.000Z');
    // Time did not move, and the world can be asked again once the work has ended.
    expect(world.clock.nowMs()).toBe(START_MS);
    server.close();
    await world.advance('1h');
    expect(await result.state()).toBe('FAILURE');
  });

  it('a chain of short timers too', async () => {
    const app = new Celeriac('endless');
    const task = app.task('endless', async () => {
      while (!stopped) await delay(5);
    });
    let stopped = false;
    using world = new World(app, { patienceMs: 100 });
    await task.delay();
    await expect(world.run()).rejects.toThrow('endless[');
    stopped = true;
    await world.run();
  });

  it('patienceMs: 0 waits for nothing real', async () => {
    const app = new Celeriac('hasty');
    const task = app.task('task', { timeLimit: 20 }, () => delay(200));
    using world = new World(app, { patienceMs: 0 });
    const result = await task.delay();
    await world.advance('1m');
    expect(await result.state()).toBe('FAILURE');
  });
});
