/** A retry that no queue takes is given up by the message of the attempt before, and that message settles the end, however often it comes. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import type { ConcludeRequest } from '../../lib/ports/backend.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { tapped } from '../support/port-taps.ts';

it.each([
  { when: 'before', expires: '1d' },
  { when: 'after', expires: '1d' },
  // The message comes again when it has expired, and still is the only one that can tell.
  { when: 'after', expires: '1m' },
] as const)(
  'its dead letter and its error link come, also where the worker dies $when the end is written ($expires)',
  async ({ when, expires }) => {
    const app = new Celeriac('refused-retry', { logger: silentLogger });
    const told: string[] = [];
    const tell = app.task('tell', (id: string) => void told.push(id));
    const task = app.task('task', { bind: true }, (self): number => {
      throw self.retry({ countdown: 1 });
    });
    let deaths = 0;
    const world = new World(app, {
      wrapPorts: (ports) =>
        tapped(
          ports,
          async (call, go, args) => {
            if (call === 'broker.send') {
              const items = args[0] as readonly { readonly body: string; readonly deadLetter?: boolean }[];
              // Only the retry: a dead letter and the link are taken.
              if (items.some(({ body, deadLetter }) => deadLetter !== true && decodeMessage(body).retries === 1))
                return items.map(() => ({
                  ok: false,
                  code: 'InvalidMessageContents',
                  message: 'no',
                  retryable: false,
                }));
            }
            const isEnd = call === 'backend.conclude' && (args[0] as readonly ConcludeRequest[])[0]?.attempt === 1;
            if (!isEnd || deaths > 0) return go();
            deaths += 1;
            if (when === 'after') await go();
            return new Promise(() => {});
          },
          ['broker', 'backend'],
        ),
    });
    const result = await task.applyAsync([], { linkError: tell.s(), expires });
    await world.drain();
    expect(deaths).toBe(1);
    expect(await result.state()).toBe('FAILURE');
    expect(world.deadLetters()).toHaveLength(1);
    expect(told).toEqual([result.id]);
  },
);
