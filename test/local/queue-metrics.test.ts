/** The age of a queue's oldest message on the embedded cloud: asked for as of CloudWatch, and by nobody whom the gate refuses. */
import { Celeriac } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { awsClients, type ToolClients } from '../../lib/aws/tool-clients.ts';
import { systemClock } from '../../lib/base/time.ts';
import { oldestSeconds } from '../../lib/local/queue-metrics.ts';

const app = new Celeriac('shop', { queues: { default: {}, quiet: { worker: 'process' } } });
const noted = app.task('noted', { queue: 'quiet' }, () => 1);

let cloud: LocalCloud;
let tool: ToolClients;
beforeAll(async () => {
  cloud = await LocalCloud.start(app, { logger: { log: () => {} }, processes: false });
  tool = awsClients(cloud.variables('local'), {}, systemClock);
});
afterAll(async () => {
  tool.requests.close();
  await cloud.stop();
});
const nameOf = (queue: string): string => (cloud.environment.queues[queue] ?? '').split('/').at(-1) ?? '';

describe('the age of the oldest message', () => {
  it('is that of what lies there and is not delayed', async () => {
    await noted.applyAsync([], { countdown: 600 });
    expect(await tool.requests.oldestMessageSeconds(nameOf('quiet'))).toBeUndefined();
    await noted.delay();
    const age = await tool.requests.oldestMessageSeconds(nameOf('quiet'));
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(600);
    expect(await tool.requests.oldestMessageSeconds('nowhere')).toBeUndefined();
  });

  it('is told to no web page, to nobody who does not sign, and nothing else is', async () => {
    const { sqs } = cloud.endpoints;
    const ask = (headers: Record<string, string>): Promise<number> =>
      fetch(sqs, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: 'Action=GetMetricStatistics&MetricName=ApproximateAgeOfOldestMessage',
      }).then(({ status }) => status);
    const authorization = `AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
    expect(await ask({ authorization })).toBe(200);
    expect(await ask({})).toBe(403);
    expect(await ask({ authorization, origin: 'http://evil.example' })).toBe(403);
    const other = await fetch(sqs, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization },
      body: 'Action=CreateTopic&Name=x',
    });
    expect([other.status, await other.text()]).toEqual([403, expect.stringContaining('only questions for the age')]);
  });

  it('leaves out what was received three times, as SQS does', () => {
    const at = (sentTimestamp: number, approximateReceiveCount: number): object => ({
      sentTimestamp,
      approximateReceiveCount,
    });
    expect(oldestSeconds([at(1000, 3), at(5000, 2), at(9000, 0)], 10_000)).toBe(5);
    expect(oldestSeconds([at(1000, 3)], 10_000)).toBeUndefined();
    expect(oldestSeconds([], 10_000)).toBeUndefined();
  });
});
