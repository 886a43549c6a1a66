/** Arguments and results that are too large for SQS and DynamoDB, by the bucket that the stack has made. */
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';

import { derivedId } from '../../lib/base/ids.ts';
import type { DrillParts } from './drills-scenario.ts';
import { equal, until } from './report.ts';

const PATIENCE = { timeout: 60 };
// Enough to delete an object in before its task runs, on a busy machine too: other steps wait longer.
const COUNTDOWN_SECONDS = 15;
// More than a message of SQS holds.
const TEXT = 'large '.repeat(250_000);

export async function largeScenario(parts: DrillParts): Promise<void> {
  await Promise.all([roundTrip(parts), gone(parts)]);
}

/** Under the worker's own role, where the emulator has it. */
async function roundTrip({ report, drills: { repeat }, environment }: DrillParts): Promise<void> {
  await report.step('an argument and a result of megabytes: stored, read, and forgotten', async () => {
    const result = await repeat.delay(TEXT, 2);
    const value = await result.get(PATIENCE);
    equal(value === TEXT.repeat(2), true, 'the result is the argument twice');
    const stored = new Stored(environment.payloadBucket);
    equal(await stored.kindsOf(result.id), ['messages', 'results']);
    await result.forget();
    equal(await result.state(), 'PENDING');
    equal(await stored.kindsOf(result.id), ['messages'], 'stored once it is forgotten');
    return `${TEXT.length} and ${value.length} characters`;
  });
}

async function gone({ report, drills: { app, repeat }, environment }: DrillParts): Promise<void> {
  await report.step('an argument that is gone: its task fails, with a letter', async () => {
    const result = await repeat.applyAsync([TEXT, 1], { countdown: COUNTDOWN_SECONDS });
    const stored = new Stored(environment.payloadBucket);
    for (const { Bucket, Key } of await stored.of(result.id))
      await stored.client.send(new DeleteObjectCommand({ Bucket, Key }));
    await result.get({ ...PATIENCE, propagate: false });
    equal([await result.state(), ((await result.info()) as Error).name], ['FAILURE', 'PayloadNotFound']);
    // Other steps receive letters too, and hide them for a second.
    const letter = await until(
      'its letter',
      async () => (await app.deadLetters.list({ queue: 'default' })).letters.find(({ id }) => id === result.id),
      (found) => found !== undefined,
      PATIENCE.timeout,
    );
    equal(letter?.errorType, 'PayloadNotFound');
  });
}

/** Empties the buckets of a stack: CloudFormation deletes no other. */
export async function emptyBuckets(prefix: string): Promise<void> {
  const client = new S3Client({ forcePathStyle: true });
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
  for (const { Name: Bucket } of Buckets) {
    if (Bucket?.startsWith(prefix) !== true) continue;
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    const Objects = Contents.map(({ Key }) => ({ Key }));
    if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  }
}

/** What lies in the bucket. */
class Stored {
  readonly client: S3Client = new S3Client({ forcePathStyle: true });
  readonly #bucket: string;

  constructor(bucket: string | undefined) {
    if (bucket === undefined) throw new Error('the sweeper is told of no bucket');
    this.#bucket = bucket;
  }

  async of(id: string): Promise<{ readonly Bucket: string; readonly Key: string }[]> {
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket: this.#bucket }));
    return Contents.flatMap(({ Key }) =>
      Key?.split('/')[1] === derivedId(`payload:${id}`) ? [{ Bucket: this.#bucket, Key }] : [],
    );
  }

  /** In the order of their names, as S3 lists keys. */
  async kindsOf(id: string): Promise<(string | undefined)[]> {
    return (await this.of(id)).map(({ Key }) => Key.split('/')[0]);
  }
}
