/** Renewing claims on DynamoDB: one conditional write to the task's item. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ConditionalCheckFailedException, UpdateItemCommand } from '#aws-sdk';

import type { LeaseRenewal, Leases } from '../ports/leases.ts';
import { oursFor } from './dynamodb-conditions.ts';
import { number, text } from './dynamodb-record.ts';
import { resultKey } from './keys.ts';
import { UpdateBuilder } from './update-builder.ts';

/** Claims in the table of results. */
export class DynamodbLeases implements Leases {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  /** Reads and writes nothing yet. */
  constructor({ client, table }: { readonly client: DynamoDBClient; readonly table: string }) {
    this.#client = client;
    this.#table = table;
  }

  async renew({ id, leaseMs, expiresAtSeconds, ...request }: LeaseRenewal): Promise<boolean> {
    const update = new UpdateBuilder().set('lease', number(leaseMs)).set('ttl', number(expiresAtSeconds));
    const [finished, lease] = [update.name('finished'), update.name('lease')];
    // Zero is one that was given back.
    update.when(
      `${oursFor(update, request)} AND attribute_not_exists(${finished}) AND ${lease} > ${update.value(number(0))}`,
    );
    try {
      await this.#client.send(
        new UpdateItemCommand({ TableName: this.#table, Key: { id: text(resultKey(id)) }, ...update.build() }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
