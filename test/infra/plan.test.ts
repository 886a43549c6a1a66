/** Numbers that may be said of a queue: the least and the most of each, and what is told of one less and one more. */
import { Duration } from 'aws-cdk-lib';
import { expect, it } from 'vitest';

import type { QueueOverrides } from '../../infra/index.ts';
import { planQueues } from '../../infra/plan.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';

const MANIFEST: AppManifest = {
  name: 'shop',
  defaultQueue: 'default',
  queues: { default: { fifo: false }, py: { fifo: false, external: true } },
  tasks: {},
  resultExpiresSeconds: 86_400,
  timerShards: 8,
  beat: [],
};
const seconds = (value: number): Duration => Duration.seconds(value);
const told = (what: string, queue: string, given: number, least: number, most: number): string =>
  `${what} of queue '${queue}' is ${given}; ${least} to ${most} is allowed.`;
const DAYS_14 = 1_209_600;

it.each<[string, QueueOverrides, string | undefined]>([
  ['default', { maxReceiveCount: 0 }, told('maxReceiveCount', 'default', 0, 1, 1000)],
  ['default', { maxReceiveCount: 1 }, undefined],
  ['default', { maxReceiveCount: 1000 }, undefined],
  ['default', { maxReceiveCount: 1001 }, told('maxReceiveCount', 'default', 1001, 1, 1000)],
  ['default', { maxReceiveCount: 1.5 }, told('maxReceiveCount', 'default', 1.5, 1, 1000)],
  ['default', { retention: seconds(59) }, told('retention', 'default', 59, 60, DAYS_14)],
  ['default', { retention: seconds(60) }, undefined],
  ['default', { retention: seconds(DAYS_14 - 1) }, undefined],
  ['default', { retention: seconds(DAYS_14) }, "it must be longer than the queue's 1209600 s"],
  ['default', { retention: seconds(DAYS_14 + 1) }, told('retention', 'default', DAYS_14 + 1, 60, DAYS_14)],
  ['default', { retention: seconds(60), deadLetterRetention: seconds(60) }, "it must be longer than the queue's 60 s"],
  ['default', { retention: seconds(60), deadLetterRetention: seconds(61) }, undefined],
  ['default', { deadLetterRetention: seconds(59) }, told('dead-letter retention', 'default', 59, 60, DAYS_14)],
  ['default', { deadLetterRetention: seconds(DAYS_14) }, undefined],
  [
    'default',
    { deadLetterRetention: seconds(DAYS_14 + 1) },
    told('dead-letter retention', 'default', DAYS_14 + 1, 60, DAYS_14),
  ],
  [
    'default',
    { timeout: seconds(60), visibilityTimeout: seconds(60) },
    "visibility timeout of queue 'default' is 60 s; it must be longer than the function's timeout of 60 s",
  ],
  ['default', { timeout: seconds(60), visibilityTimeout: seconds(61) }, undefined],
  ['default', { visibilityTimeout: seconds(43_200) }, undefined],
  ['default', { visibilityTimeout: seconds(43_201) }, told('visibility timeout', 'default', 43_201, 0, 43_200)],
  ['py', { visibilityTimeout: seconds(0) }, undefined],
  ['default', { timeout: 60 as never }, 'queues.default.timeout: 60 given; a Duration is allowed'],
  ['default', { retention: '4d' as never }, "queues.default.retention: '4d' given; a Duration is allowed"],
  ['default', { visibilityTimeout: null as never }, 'queues.default.visibilityTimeout: null given; a Duration is'],
  ['py', { deadLetterRetention: {} as never }, 'queues.py.deadLetterRetention: {} given; a Duration is allowed'],
  ['py', { visibilityTimeout: seconds(43_201) }, told('visibility timeout', 'py', 43_201, 0, 43_200)],
])('%s: %j', (queue, overrides, error) => {
  const plan = (): unknown => planQueues(MANIFEST, { [queue]: overrides });
  if (error === undefined) expect(plan).not.toThrow();
  else expect(plan).toThrow(error);
});
