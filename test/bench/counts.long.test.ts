/** What a run costs that is looked after, and ended: what docs/flow-control.md says of `terminate`. */
import { expect, it } from 'vitest';

import { TASK_WRITE_UNITS } from '../../infra/task-costs.ts';
import { counts, historyCount } from './counts.ts';

it('a look is half a read unit, and a request for all runs of a batch', async () => {
  const { tasks } = await counts(20, { slow: true, only: new Set(['plain', 'revoke({ terminate })']) });
  const terminated = tasks.find(({ kind }) => kind === 'revoke({ terminate })');
  // A refused one, since it is not waiting any more, and a note.
  expect(terminated?.writes).toBe(TASK_WRITE_UNITS + 2);
  // And a whole one for the refused write: the table of the embedded cloud does not show what refused it, as DynamoDB does.
  expect(terminated?.reads).toBe(0.5 + 1);
  const plain = tasks.find(({ kind }) => kind === 'plain');
  expect(plain?.reads).toBe(0);
});

it('the history at a worker process: what ends within a second shares it', async () => {
  const { bytes } = await historyCount(20, 'all', true);
  expect(bytes.length).toBeGreaterThan(0);
  // A busy machine takes some seconds for them.
  expect(bytes.length).toBeLessThanOrEqual(4);
});
