/** What the services answer on a bad day, and answers that are lost, once more on the lean client. */
import { expect, it, vi } from 'vitest';

import * as lean from '../../lib/aws/lean/index.ts';

vi.mock('#aws-sdk', () => import('../../lib/aws/lean/index.ts'));

it('is what the adapters and the tests of them get', async () => {
  const { sqsClient } = await import('../../lib/aws/clients.ts');
  expect(sqsClient({ region: 'us-east-1' })).toBeInstanceOf(lean.SQSClient);
  expect((await import('#aws-sdk')).UpdateItemCommand).toBe(lean.UpdateItemCommand);
});

await import('../conformance/service-faults.long.test.ts');
await import('../conformance/lost-answers.long.test.ts');
