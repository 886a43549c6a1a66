/** Settings of a Celery app that shares the queues and results of a service. */
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

import { InvalidOption } from '../lib/base/errors.ts';
import { type AppManifest, externalQueuesOf } from '../lib/options/manifest.ts';
import { celeryQueueName, physicalQueueName } from '../lib/wire/queue-name.ts';

export interface CelerySettingsProps {
  readonly manifest: AppManifest;
  /** By our name. */
  readonly queues: Readonly<Record<string, IQueue>>;
  readonly results: ITable;
  readonly region: string;
}

/** @throws InvalidOption where Celery could not tell two queues apart. */
export function celerySettings({ manifest, queues, results, region }: CelerySettingsProps): Record<string, unknown> {
  const celeryName = (name: string): string => celeryQueueName(name, manifest.queues[name]?.fifo ?? false);
  const [external] = externalQueuesOf(manifest);
  const own = Object.entries(manifest.tasks).filter(([, task]) => task.remote !== true);
  return {
    // Neither keys nor hosts: boto3 finds the ones of where it runs.
    broker_url: 'sqs://',
    broker_transport_options: { region, predefined_queues: predefinedQueues(queues) },
    // Celery keeps results for ttl_seconds; its result_expires means nothing to this backend.
    result_backend: `dynamodb://@${region}/${results.tableName}?ttl_seconds=${manifest.resultExpiresSeconds}`,
    task_default_queue: celeryName(external ?? manifest.defaultQueue),
    task_routes: Object.fromEntries(own.map(([name, { queue }]) => [name, { queue: celeryName(queue) }])),
  };
}

/**
 * kombu sends to a queue by the name that SQS would have it under, and looks some things up by Celery's: where
 * they differ, as those of `emails.high` and `emails-high` do, both are said.
 */
function predefinedQueues(queues: Readonly<Record<string, IQueue>>): Record<string, { readonly url: string }> {
  const owners = new Map<string, string>();
  const predefined: Record<string, { readonly url: string }> = {};
  for (const [name, { fifo, queueUrl }] of Object.entries(queues)) {
    if (!fifo && name.endsWith('.fifo')) {
      throw new InvalidOption(
        `Queue '${name}' is a standard queue, and Celery takes it for a FIFO queue by its name. Rename it, or declare it with fifo: true.`,
      );
    }
    const celery = celeryQueueName(name, fifo);
    for (const key of new Set([celery, physicalQueueName('', celery, fifo)])) {
      const other = owners.get(key);
      if (other !== undefined)
        throw new InvalidOption(`Queues '${other}' and '${name}' are both '${key}' to Celery. Rename one of them.`);
      owners.set(key, name);
      predefined[key] = { url: queueUrl };
    }
  }
  return predefined;
}
