/** What docs/outbox.md shows runs. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

it('a message joins a transaction, and runs behind it', () => {
  const output = runExample(readFileSync('docs/outbox.md', 'utf8'), ['// order.ts'], {
    'order.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const items: unknown[] = [];
const dynamodb = { send: async (command: TransactWriteItemsCommand) => void items.push(...(command.input.TransactItems ?? [])) };
const result = await save(dynamodb as never, 'o-1');
await world.run();
console.log(items.length, await result.get());`,
    },
  });
  expect(output.trim()).toBe('2 o-1 shipped');
});
