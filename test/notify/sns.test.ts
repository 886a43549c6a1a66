/** Mails by SNS: against a server of it, on the embedded cloud, and as the SDK would send them. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Celeriac, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { buildApp } from 'fauxqs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { SnsNotifier } from '../../lib/aws/sns-notifier.ts';
import { systemClock } from '../../lib/base/time.ts';
import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';

const KEYS = { accessKeyId: 'local', secretAccessKey: 'local' };
const MAIL = { subject: '[shop] Error: Task a (b): x & y=z', text: 'Task a\nüñí&=+%\n' };

let endpoint = '';
let sns: SNSClient;
let sqs: SQSClient;
let servers: ReturnType<typeof buildApp>;
beforeAll(async () => {
  servers = buildApp({ logger: false });
  endpoint = await servers.listen({ port: 0, host: '127.0.0.1' });
  const common = { region: 'us-east-1', credentials: KEYS, endpoint };
  sns = new SNSClient(common);
  sqs = new SQSClient(common);
});
afterAll(async () => {
  sns.destroy();
  sqs.destroy();
  await servers.close();
});
afterEach(() => vi.unstubAllEnvs());

/** A topic, and what its subscriber gets: emulators send no mails. */
async function subscribed(name: string) {
  const { TopicArn: topic = '' } = await sns.send(new CreateTopicCommand({ Name: name }));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  await sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint: Attributes?.['QueueArn'] }));
  const got: { readonly subject: string; readonly text: string }[] = [];
  const receive = async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    for (const { Body = '' } of Messages) {
      const { Subject, Message } = JSON.parse(Body) as { readonly Subject: string; readonly Message: string };
      got.push({ subject: Subject, text: Message });
    }
    return got;
  };
  return { topic, receive };
}

describe('a mail', () => {
  it('arrives as it was written', async () => {
    const { topic, receive } = await subscribed('one');
    const { subject, text } = MAIL;
    await new SnsNotifier({ topicArn: topic, endpoint, credentials: () => Promise.resolve(KEYS) }).send(MAIL);
    expect(await receive()).toEqual([{ subject, text }]);
  });

  it("is the SDK's own request, to the topic's region", async () => {
    const seen: { readonly body: string; readonly authorization: string }[] = [];
    const server = await listen((body, authorization) => {
      seen.push({ body, authorization });
      return [200, '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>'];
    });
    const topicArn = 'arn:aws:sns:eu-west-1:123456789012:ops';
    const sdk = new SNSClient({ region: 'eu-west-1', credentials: KEYS, endpoint: server.url });
    await sdk.send(new PublishCommand({ TopicArn: topicArn, Subject: MAIL.subject, Message: MAIL.text }));
    await new SnsNotifier({ topicArn, endpoint: server.url, credentials: () => Promise.resolve(KEYS) }).send(MAIL);
    server.close();
    const [theirs, ours] = seen.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
    expect(ours).toEqual(theirs);
    const scopes = seen.map(({ authorization }) => /Credential=\S+\/(\S+\/sns)\/aws4_request/.exec(authorization)?.[1]);
    expect(scopes).toEqual(['eu-west-1/sns', 'eu-west-1/sns']);
  });

  it('that is refused tells what the service said', async () => {
    const denied =
      '<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>not you</Message></Error></ErrorResponse>';
    for (const [answer, said] of [
      [denied, 'SNS answered 403 AuthorizationError: not you'],
      ['<html>', 'SNS answered 403 without a word: without a word'],
    ] as const) {
      const server = await listen(() => [403, answer]);
      const notifier = new SnsNotifier({
        topicArn: 'arn:aws:sns:us-east-1:1:x',
        endpoint: server.url,
        credentials: () => Promise.resolve(KEYS),
      });
      await expect(notifier.send(MAIL)).rejects.toThrow(said);
      server.close();
    }
  });
});

it('a small storm on the embedded cloud is one mail at once, and one digest', async () => {
  const { topic, receive } = await subscribed('storm');
  vi.stubEnv('AWS_ENDPOINT_URL_SNS', endpoint);
  const app = new Celeriac('shop', { logger: silentLogger });
  const charge = app.task('orders.charge', (order: number) => {
    throw new TypeError(`no card for ${order}`);
  });
  const cloud = await LocalCloud.start(app, { notify: { topic, window: 60, monitor: 'https://tasks.example.org' } });
  try {
    const results = await app.sendMany(Array.from({ length: 60 }, (_, index) => charge.s(index)));
    for (const result of results) await expect(result.get({ timeout: PATIENCE_SECONDS })).rejects.toThrow('no card');
    await vi.waitFor(async () => expect(await receive()).toHaveLength(1), { timeout: PATIENCE_MS });
    const [first] = await receive();
    expect(first?.subject).toMatch(/^\[shop\] Error: Task orders\.charge \(.*\): TypeError: no card for/);
    expect(first?.text).toContain('https://tasks.example.org/tasks/');
    // Some minutes later, for the sweeper alone.
    await vi.waitFor(
      async () => {
        const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 300_000 };
        await app.sweep({}, { ...(await app.ports()), clock });
        expect(await receive()).toHaveLength(2);
      },
      { timeout: PATIENCE_MS },
    );
    const [, digest] = await receive();
    expect(digest?.subject).toMatch(/^\[shop\] 60 errors in \d+ minutes: Task orders\.charge$/);
  } finally {
    await cloud.stop();
  }
});

async function listen(answer: (body: string, authorization: string) => readonly [number, string]) {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const [status, text] = answer(Buffer.concat(chunks).toString(), request.headers.authorization ?? '');
      response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
