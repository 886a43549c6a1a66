/** Unconditional writes, as many in one request as DynamoDB takes. */
import type { DynamoDBClient, WriteRequest } from '@aws-sdk/client-dynamodb';
import { BatchWriteItemCommand } from '#aws-sdk';

import { DYNAMODB_MAX_BATCH_WRITES } from '../base/limits.ts';
import type { Clock, Random } from '../base/time.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { backoff } from './backoff.ts';

/** A table, and what asking it again needs. */
export interface DynamodbTable {
  /** What sends its requests. */
  readonly client: DynamoDBClient;
  /** Name of the table. */
  readonly table: string;
  /** Waits between attempts. */
  readonly clock: Clock;
  /** Random numbers for jitter between attempts. */
  readonly random: Random;
}

// Requests at a time: some hundred items of a partition, which takes 1,000 writes a second.
const WIDTH = 8;

/** Puts and deletes. What is left unprocessed is asked again; the same key twice in one request is an error. */
export async function writeAll(
  { client, table, clock, random }: DynamodbTable,
  requests: readonly WriteRequest[],
): Promise<void> {
  const pages = Array.from({ length: Math.ceil(requests.length / DYNAMODB_MAX_BATCH_WRITES) }, (_, page) => page);
  await mapConcurrently(pages, WIDTH, async (page) => {
    let open: WriteRequest[] = requests.slice(page * DYNAMODB_MAX_BATCH_WRITES, (page + 1) * DYNAMODB_MAX_BATCH_WRITES);
    for (let attempt = 0; open.length > 0; attempt += 1) {
      const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: open } }));
      open = UnprocessedItems?.[table] ?? [];
      if (open.length > 0) await backoff(attempt, clock, random);
    }
  });
}
