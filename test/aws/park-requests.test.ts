/** Where a task waits is stored with its message: that it can be found by its id costs no request. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { awsAdapters } from '../support/fake-services/world-adapters.ts';

interface Put {
  readonly PutRequest?: { readonly Item?: Readonly<Record<string, { readonly S?: string }>> };
}

it('ten tasks that come to wait are stored in one request, and found by it', async () => {
  const requests: string[][] = [];
  const adapters = awsAdapters({
    client: (send) => (command) => {
      const { RequestItems = {} } = (command as { readonly input: { readonly RequestItems?: Record<string, Put[]> } })
        .input;
      const partitions = Object.values(RequestItems)
        .flat()
        .map(({ PutRequest }) => PutRequest?.Item?.['pk']?.S ?? '');
      if (partitions.some((partition) => partition.startsWith('parked'))) requests.push(partitions);
      return send(command);
    },
  });
  const app = new Celeriac('parks', { logger: silentLogger });
  const task = app.task('work', { concurrency: 1 }, async () => world.clock.sleep(60_000));
  using world = new World(app, {}, adapters);
  await task.delay();
  await world.advance(1);
  const sent = await app.sendMany(Array.from({ length: 10 }, () => task.s()));
  await world.advance(1);
  const last = await task.delay();
  await world.advance(1);
  // The first of a line are noted, for whoever lists all lines; who comes behind them is not.
  expect(requests).toEqual([
    [
      ...Array.from({ length: 10 }, () => 'parked#work#'),
      ...sent.map(({ id }) => `parked-task#${id}`),
      expect.stringMatching(/^parked-keys#[01]$/),
    ],
    ['parked#work#', `parked-task#${last.id}`],
  ]);
  for (const [index, { id }] of sent.entries())
    expect((await app.explain(id)).reasons).toMatchObject([{ kind: 'slot', place: index + 1, waiting: 11 }]);
});
