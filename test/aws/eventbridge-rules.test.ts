import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EventBridgeRules } from '../../lib/aws/eventbridge-rules.ts';
import { ruleName } from '../../lib/schedules/rule-name.ts';

interface Asked {
  readonly target: string | undefined;
  readonly body: unknown;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

let asked: Asked[];
let answer: Answer;
let server: Server;
let client: EventBridgeClient;
let rules: EventBridgeRules;

beforeEach(async () => {
  asked = [];
  answer = { status: 200, body: {} };
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const target = request.headers['x-amz-target'];
      asked.push({ target: String(target), body: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = new EventBridgeClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  rules = new EventBridgeRules('celeriac-shop-abc', client);
});

afterEach(async () => {
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const NAME = ruleName('celeriac-shop-abc', 'every morning / 7:30');

describe('EventBridgeRules', () => {
  it('asks for the rule of an entry by its own name', async () => {
    expect(NAME).toMatch(/^celeriac-shop-abc-every-morning-7-30-[a-z0-9]{7}$/);
    answer = { status: 200, body: { Name: NAME, State: 'ENABLED' } };
    expect(await rules.isEnabled('every morning / 7:30')).toBe(true);
    expect(asked).toEqual([{ target: 'AWSEvents.DescribeRule', body: { Name: NAME } }]);
  });

  it.each([
    ['ENABLED', true],
    ['ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS', true],
    ['DISABLED', false],
  ])('%s: %s', async (State, enabled) => {
    answer = { status: 200, body: { State } };
    expect(await rules.isEnabled('a')).toBe(enabled);
  });

  it('a rule that does not exist is neither', async () => {
    answer = { status: 400, body: { __type: 'ResourceNotFoundException', message: 'Rule does not exist.' } };
    expect(await rules.isEnabled('a')).toBeUndefined();
  });

  it.each([
    [true, 'AWSEvents.EnableRule'],
    [false, 'AWSEvents.DisableRule'],
  ])('setEnabled %s is one call of %s', async (enabled, target) => {
    await rules.setEnabled('every morning / 7:30', enabled);
    expect(asked).toEqual([{ target, body: { Name: NAME } }]);
  });

  it.each([
    ['AccessDeniedException', 400],
    ['ManagedRuleException', 400],
    ['ConcurrentModificationException', 400],
    ['InternalException', 500],
  ])('%s passes on', async (name, status) => {
    answer = { status, body: { __type: name, message: 'no' } };
    await expect(rules.isEnabled('a')).rejects.toMatchObject({ name });
    await expect(rules.setEnabled('a', true)).rejects.toMatchObject({ name });
    await expect(rules.setEnabled('a', false)).rejects.toMatchObject({ name });
    expect(asked).toHaveLength(3);
  });

  it('switching a rule that does not exist fails', async () => {
    answer = { status: 400, body: { __type: 'ResourceNotFoundException', message: 'Rule does not exist.' } };
    await expect(rules.setEnabled('a', true)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
