/** Queries that go on until all has come, or as much as was asked for. */
import type { QueryCommandInput, QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { QueryCommand } from '#aws-sdk';

import type { Item } from './dynamodb-record.ts';
import type { DynamodbTable } from './dynamodb-writes.ts';

/** What is asked, without the table. */
export type Query = Omit<QueryCommandInput, 'TableName' | 'ConsistentRead' | 'Limit'>;

type Store = Pick<DynamodbTable, 'client' | 'table'>;

/** How much of it is wanted. */
export interface Wanted {
  /** So many at most; all by default. */
  readonly most?: number;
  /** Those alone; all by default. */
  readonly keep?: (item: Item) => boolean;
}

/**
 * Answers of a query, one request each, until `most` items have come or there are no more: DynamoDB ends an answer at a
 * megabyte. They are consistent: who reads here acts on what it sees.
 */
export async function* queryPages(
  store: Store,
  query: Query,
  { most = Infinity, keep = () => true }: Wanted = {},
): AsyncGenerator<QueryCommandOutput> {
  let open = most;
  let from = query.ExclusiveStartKey;
  do {
    const page = await store.client.send(
      new QueryCommand({
        ...query,
        TableName: store.table,
        ConsistentRead: true,
        ...(open === Infinity ? {} : { Limit: open }),
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      }),
    );
    yield page;
    open -= page.Items?.filter(keep).length ?? page.Count ?? 0;
    from = page.LastEvaluatedKey;
  } while (from !== undefined && open > 0);
}

/** The items of a query, as they are sorted. */
export async function queryItems(store: Store, query: Query, wanted: Wanted = {}): Promise<Item[]> {
  const { keep = () => true } = wanted;
  const items: Item[] = [];
  for await (const page of queryPages(store, query, wanted)) items.push(...(page.Items ?? []).filter(keep));
  return items;
}

/** What asks for one partition. */
export function inPartition(pk: string): Query {
  return {
    KeyConditionExpression: '#pk = :pk',
    ExpressionAttributeNames: { '#pk': 'pk' },
    ExpressionAttributeValues: { ':pk': { S: pk } },
  };
}

/** What asks for those of a partition whose sort keys start with the prefix. */
export function withPrefix(pk: string, prefix: string): Query {
  return {
    KeyConditionExpression: '#pk = :pk AND begins_with(#sk, :prefix)',
    ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
    ExpressionAttributeValues: { ':pk': { S: pk }, ':prefix': { S: prefix } },
  };
}
