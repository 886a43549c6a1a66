/** When the first message of a paused queue is deleted: what is known, and how CloudWatch is asked. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from 'celeriac/testing';

import { ToolRequests } from '../../lib/aws/tool-requests.ts';
import { firstExpiry } from '../../lib/operate/first-expiry.ts';

const NOW = Date.parse('2030-01-01T12:00:00Z');
const DAY = 86_400;

describe('firstExpiry', () => {
  it.each([
    ['the oldest decides', { keptSeconds: 4 * DAY, messages: 7, oldestSeconds: DAY }, { days: 3, by: 'age' }],
    [
      'one that should be gone goes now',
      { keptSeconds: DAY, messages: 7, oldestSeconds: 2 * DAY },
      { days: 0, by: 'age' },
    ],
    ['none lies there', { keptSeconds: 4 * DAY, messages: 0, oldestSeconds: undefined }, { days: 4, by: 'empty' }],
    ['nobody tells of some', { keptSeconds: 4 * DAY, messages: 7, oldestSeconds: undefined }, undefined],
    ['nor whether there are any', { keptSeconds: 4 * DAY, messages: undefined, oldestSeconds: undefined }, undefined],
    ['nor how long they are kept', { keptSeconds: undefined, messages: 0, oldestSeconds: 5 }, undefined],
  ] as const)('%s', (_what, waiting, expected) => {
    expect(firstExpiry(waiting, NOW)).toEqual(
      expected === undefined ? undefined : { at: new Date(NOW + expected.days * DAY * 1000), by: expected.by },
    );
  });
});

describe('CloudWatch', () => {
  let server: Server;
  let asked = '';
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  async function requests(answer: string): Promise<ToolRequests> {
    server = createServer((request, response) => {
      request.on('data', (chunk) => (asked += String(chunk)));
      request.on('end', () => response.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new ToolRequests({
      region: () => Promise.resolve('eu-central-1'),
      credentials: () => Promise.resolve({ accessKeyId: 'a', secretAccessKey: 'b' }),
      endpoint: () => endpoint,
      clock: new ManualClock(NOW),
    });
  }

  it('is asked for the age of the oldest message; the newest answer counts, and time since', async () => {
    const point = (minute: number, age: number): string =>
      `<member><Timestamp>2030-01-01T11:${minute}:00Z</Timestamp><Maximum>${age}.0</Maximum><Unit>Seconds</Unit></member>`;
    const tool = await requests(
      `<GetMetricStatisticsResponse><GetMetricStatisticsResult><Datapoints>${point(50, 100)}${point(57, 520)}${point(53, 280)}</Datapoints></GetMetricStatisticsResult></GetMetricStatisticsResponse>`,
    );
    expect(await tool.oldestMessageSeconds('shop-mail')).toBe(520 + 180);
    tool.close();
    expect(Object.fromEntries(new URLSearchParams(asked))).toMatchObject({
      Action: 'GetMetricStatistics',
      MetricName: 'ApproximateAgeOfOldestMessage',
      'Dimensions.member.1.Value': 'shop-mail',
      StartTime: '2030-01-01T11:45:00.000Z',
      EndTime: '2030-01-01T12:00:00.000Z',
    });
  });

  it('has none of a queue that nobody touched for hours', async () => {
    const tool = await requests('<GetMetricStatisticsResponse><Datapoints/></GetMetricStatisticsResponse>');
    expect(await tool.oldestMessageSeconds('shop-mail')).toBeUndefined();
    tool.close();
  });
});
