/** Rules of the embedded cloud, switched by other processes: the command's, and whoever has the cloud's variables. */
import { Celeriac, crontab, every, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { celeriacAt, jsonOf } from '../support/celeriac.ts';

const app = new Celeriac('ruled.app', { logger: silentLogger });
const ping = app.task('ping', () => {});
app.beat({
  'ruled, every hour': { task: ping.s(), schedule: crontab({ minute: 0 }) },
  swept: { task: ping.s(), schedule: every('30s') },
});
let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await LocalCloud.start(app);
});
afterAll(() => cloud.stop());

it('celeriac schedules disable and enable reach a rule of another process', async () => {
  const variables = cloud.variables('local');
  // The process of the command has ports of its own.
  const celeriac = (...args: readonly string[]): ReturnType<typeof celeriacAt> => celeriacAt({ variables }, ...args);
  const name = 'ruled, every hour';
  expect((await celeriac('schedules', 'disable', name)).code).toBe(0);
  expect(await cloud.rules.isEnabled(name)).toBe(false);
  const [shown] = jsonOf(await celeriac('schedules', 'show', name, '--json'));
  expect(shown).toMatchObject({ name, enabled: false });
  expect((await celeriac('schedules', 'enable', name)).code).toBe(0);
  expect(await cloud.rules.isEnabled(name)).toBe(true);
});

it('tells of a rule that is not there, and lets no web page in', async () => {
  const endpoint = cloud.variables()['AWS_ENDPOINT_URL_EVENTBRIDGE'] ?? '';
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'AWSEvents.DisableRule',
    authorization: `AWS4-HMAC-SHA256 Credential=local/20300101/us-east-1/events/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  };
  const body = JSON.stringify({ Name: 'another' });
  const answer = await fetch(endpoint, { method: 'POST', headers, body });
  expect([answer.status, await answer.json()]).toEqual([
    400,
    { __type: 'ResourceNotFoundException', message: 'Rule another does not exist.' },
  ]);
  const page = await fetch(endpoint, { method: 'POST', headers: { ...headers, origin: 'https://example.org' }, body });
  expect(page.status).toBe(403);
  const other = await fetch(endpoint, {
    method: 'POST',
    headers: { ...headers, 'x-amz-target': 'AWSEvents.DeleteRule' },
    body,
  });
  expect(other.status).toBe(400);
});
