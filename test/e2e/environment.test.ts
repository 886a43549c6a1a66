/** A function with nothing but its environment, as grantEnqueue gives it or as people write it: no app, no task code. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { Celeriac, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';

const app = new Celeriac('shop', {
  queues: { default: {}, mail: {}, celery: { external: true } },
  routes: { 'mail.*': 'mail' },
  logger: silentLogger,
});
const ran: unknown[] = [];
app.task('mail.send', (to: string) => void ran.push(to));
app.remote('proj.invoice', { queue: 'celery' });

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startCloud(app);
});
afterAll(() => cloud.stop());

/** What somebody writes who has no CDK. */
function byHand(): Record<string, string> {
  const { CELERIAC_SERVICE_SHOP: _left, ...others } = cloud.variables();
  const { queues, resultsTable, stateTable } = cloud.environment;
  return {
    ...others,
    CELERIAC_QUEUES: JSON.stringify(queues),
    CELERIAC_RESULTS_TABLE: resultsTable,
    CELERIAC_STATE_TABLE: stateTable,
    CELERIAC_EXTERNAL_QUEUES: 'celery',
    CELERIAC_TASK_QUEUES: '{"mail.send":"mail","proj.invoice":"celery"}',
  };
}

it.each([
  ['by one variable', () => cloud.variables()],
  ['by plain ones', byHand],
])('sends by name to where the app would send, elsewhere too: told %s', async (_form, variables) => {
  ran.length = 0;
  const code = `import { chord, enqueue, signature } from 'celeriac';
await enqueue('mail.send', ['ada']);
await enqueue('proj.invoice', ['o-1']);
// Members in Python: without this, Celery fails the body.
await chord([signature('proj.invoice', ['o-2'])], signature('mail.send')).delay();`;
  // Not the synchronous one: the servers that it talks to run in this process.
  await promisify(execFile)(process.execPath, ['--conditions=@celeriac/source', '--input-type=module', '-e', code], {
    env: { ...process.env, ...variables() },
  });
  await expect.poll(() => ran).toEqual(['ada']);
  const { ReceiveMessageCommand } = await import('#aws-sdk');
  const { Messages = [] } = await cloud.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: cloud.environment.queues['celery'], MaxNumberOfMessages: 10 }),
  );
  const headers = Messages.map(
    ({ Body }) =>
      (JSON.parse(Buffer.from(Body ?? '', 'base64').toString()) as { headers: { task: string; group: string | null } })
        .headers,
  );
  expect(headers.map(({ task }) => task)).toEqual(['proj.invoice', 'proj.invoice']);
  const group = headers.find((each) => each.group !== null)?.group ?? '';
  const { celeryGroups } = await app.ports();
  expect(await celeryGroups?.members(group, app.clock.nowMs())).toHaveLength(1);
});
