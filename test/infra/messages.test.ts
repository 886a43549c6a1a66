/** What synth says has ids: each is in the docs, and each can be acknowledged. */
import { readdirSync, readFileSync } from 'node:fs';

import { Annotations as Said, Duration, SecretValue, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';

import { TaskService } from '../../infra/index.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { ENTRY, newApp } from './stacks.ts';
import { manifestOf } from './watched.ts';

const sources = readdirSync('infra').map((file) => readFileSync(`infra/${file}`, 'utf8'));
const ids = new Set(
  sources.flatMap((text) => [...text.matchAll(/['`](celeriac:[A-Za-z]+)/g)].map(([, id = '']) => id)),
);

// A service of which synth has much to say.
const APP: AppManifest = manifestOf(13, {
  tasks: Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`app.${(index * 7919).toString(36)}.task.${index}`, { queue: 'q0' }]),
  ),
  idleRoutes: ['mail.*'],
  queues: { o: { fifo: true } },
  beat: [
    {
      name: 'tick',
      task: 'app.a',
      queue: 'q0',
      schedule: { type: 'interval', seconds: 60, relative: false },
      enabled: true,
      firedBy: 'sweep',
      reason: 'more than 290 rules',
    } as AppManifest['beat'][number],
    {
      name: 'ruled',
      task: 'app.a',
      queue: 'q2',
      schedule: { type: 'interval', seconds: 60, relative: false },
      enabled: true,
      firedBy: 'rule',
      expression: 'rate(1 minute)',
      template: '{}',
    } as AppManifest['beat'][number],
  ],
});

// Of what is said of something with a name of its own the id ends in it.
const NAMED: Readonly<Record<string, string>> = {
  'celeriac:existingQueue': 'celeriac:existingQueue:q1',
  'celeriac:queuePolicy': 'celeriac:queuePolicy:q2',
  'celeriac:idleRoute': 'celeriac:idleRoute:mail.*',
  'celeriac:longRetention': 'celeriac:longRetention:o',
  'celeriac:secretInVariable': 'celeriac:secretInVariable:SHOP_KEY',
};
const fullIds = [...ids].map((id) => NAMED[id] ?? id);

/** Ids of what synth says. */
function said(acknowledged: readonly string[] = []): string[] {
  const stack = new Stack(newApp(), 'Test', { env: { region: 'eu-west-1', account: '111122223333' } });
  const imported = (name: string) => Queue.fromQueueArn(stack, name, `arn:aws:sqs:eu-west-1:111122223333:${name}`);
  for (const id of acknowledged) Said.of(stack).acknowledgeWarning(id);
  new TaskService(stack, 'Tasks', {
    app: APP,
    entry: ENTRY,
    queues: { q0: { maxReceiveCount: 3, retention: Duration.days(5) }, o: { retention: Duration.days(5) } },
    existingQueues: {
      q1: {
        queue: new Queue(stack, 'Jobs', { visibilityTimeout: Duration.minutes(5) }),
        deadLetterQueue: new Queue(stack, 'Dead'),
      },
      q2: { queue: imported('a'), deadLetterQueue: imported('b') },
    },
    encryptionKey: Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111122223333:key/1'),
    environment: { SHOP_KEY: SecretValue.secretsManager('shop').unsafeUnwrap() },
  });
  const found = Annotations.fromStack(stack);
  return [...found.findInfo('*', Match.anyValue()), ...found.findWarning('*', Match.anyValue())].map(
    ({ entry }) => /\[ack: (\S+)\]$/.exec(entry.data as string)?.[1] ?? '',
  );
}

describe('what synth says', () => {
  it('never without an id', () => {
    for (const text of sources) expect(text).not.toMatch(/\.add(?:Info|Warning)\(/);
  });

  it('every id is in docs/deploy.md, and no other', () => {
    const docs = readFileSync('docs/deploy.md', 'utf8');
    const told = new Set([...docs.matchAll(/^\| `(celeriac:[A-Za-z]+)/gm)].map(([, id = '']) => id));
    expect([...told].toSorted()).toEqual([...ids].toSorted());
    expect(ids.size).toBeGreaterThan(5);
  });

  it('all of it, and nothing of what is acknowledged', () => {
    const all = said();
    expect([...new Set(all)].toSorted()).toEqual(fullIds.toSorted());
    expect(said(fullIds)).toEqual([]);
    expect(said(['celeriac:beat'])).toEqual(all.filter((id) => id !== 'celeriac:beat'));
  });
});
