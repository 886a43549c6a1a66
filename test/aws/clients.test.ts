import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { SendMessageCommand } from '#aws-sdk';
import { expect, it, vi } from 'vitest';

import { DYNAMODB_ATTEMPTS, dynamodbClient, sqsClient } from '../../lib/aws/clients.ts';

it('asks the endpoint of the environment, whatever host a queue URL names, and prints nothing past the logger', async () => {
  // Emulators write their own host name into queue URLs.
  const hosts: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    hosts.push(request.headers.host);
    response
      .setHeader('content-type', 'application/x-amz-json-1.0')
      .end('{"MessageId":"m-1","MD5OfMessageBody":"99914b932bd37a50b983c5e7c90ae93b"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_ENDPOINT_URL_SQS', `http://${host}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  try {
    const QueueUrl = 'http://emulator.invalid:4566/000000000000/shop-default';
    const { MessageId } = await sqsClient().send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }));
    expect(MessageId).toBe('m-1');
    expect(hosts).toEqual([host]);
    expect(warn).not.toHaveBeenCalled();
  } finally {
    sqsClient().destroy();
    server.close();
    vi.unstubAllEnvs();
    warn.mockRestore();
  }
});

it('asks DynamoDB more often than the SDK would by itself, through one client for the process', async () => {
  const client = dynamodbClient({ region: 'us-east-1' });
  expect(await client.config.maxAttempts()).toBe(DYNAMODB_ATTEMPTS);
  expect(dynamodbClient({ region: 'eu-central-1', maxAttempts: 1 })).toBe(client);
  expect(await client.config.region()).toBe('us-east-1');
  expect(sqsClient()).toBe(sqsClient({ region: 'eu-central-1' }));
});
