/** The audit list on DynamoDB: one partition by time, since people act one at a time. */
import { PutItemCommand } from '#aws-sdk';

import type { Audit, AuditEntry } from '../ports/audit.ts';
import { inPartition, queryItems } from './dynamodb-query.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import type { DynamodbTable } from './dynamodb-writes.ts';
import { AUDIT_PARTITION, auditSortKey } from './keys.ts';

/** Where the audit list is: `table` is the table of state. */
export type DynamodbAuditOptions = Pick<DynamodbTable, 'client' | 'table'>;

/** The audit list on the table of state. */
export class DynamodbAudit implements Audit {
  readonly #store: DynamodbAuditOptions;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbAuditOptions) {
    this.#store = options;
  }

  async put(entry: AuditEntry): Promise<void> {
    const { client, table: TableName } = this.#store;
    await client.send(new PutItemCommand({ TableName, Item: itemOf(entry) }));
  }

  async list({ limit, nowMs, after }: Parameters<Audit['list']>[0]): Promise<readonly AuditEntry[]> {
    const items = await queryItems(
      this.#store,
      {
        ...inPartition(AUDIT_PARTITION),
        ScanIndexForward: false,
        ...(after === undefined ? {} : { ExclusiveStartKey: keyAt(after) }),
      },
      // DynamoDB deletes late.
      { most: limit, keep: (item) => Number(item['ttl']?.N ?? 0) * 1000 > nowMs },
    );
    return items.map(entryOf);
  }
}

function keyAt({ atMs, id }: Pick<AuditEntry, 'atMs' | 'id'>): Item {
  return { pk: text(AUDIT_PARTITION), sk: text(auditSortKey(atMs, id)) };
}

function itemOf({ id, atMs, by, action, on, count, note, outcome, error, expiresAtSeconds }: AuditEntry): Item {
  return {
    ...keyAt({ atMs, id }),
    at: number(atMs),
    id: text(id),
    by: text(by),
    action: text(action),
    on: text(JSON.stringify(on)),
    outcome: text(outcome),
    ttl: number(expiresAtSeconds),
    ...(count === undefined ? {} : { count: number(count) }),
    ...(note === undefined ? {} : { note: text(note) }),
    ...(error === undefined ? {} : { error: text(error) }),
  };
}

function entryOf(item: Item): AuditEntry {
  const string = (name: string): string => item[name]?.S ?? '';
  const { count, note, error } = item;
  return {
    id: string('id'),
    atMs: Number(item['at']?.N ?? 0),
    by: string('by'),
    action: string('action'),
    on: JSON.parse(string('on')) as string[],
    ...(count?.N === undefined ? {} : { count: Number(count.N) }),
    ...(note?.S === undefined ? {} : { note: note.S }),
    outcome: string('outcome') as AuditEntry['outcome'],
    ...(error?.S === undefined ? {} : { error: error.S }),
    expiresAtSeconds: Number(item['ttl']?.N ?? 0),
  };
}
