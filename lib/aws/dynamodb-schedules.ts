/** Schedule entries on DynamoDB: one partition by name, one by due time. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { BatchGetItemCommand, ConditionalCheckFailedException, DeleteItemCommand, PutItemCommand } from '#aws-sdk';

import { DYNAMODB_MAX_BATCH_GETS, DYNAMODB_MAX_BATCH_STATEMENTS } from '../base/limits.ts';
import type { DueEntry, ScheduleItem, Schedules } from '../ports/schedules.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { inPartition, queryItems } from './dynamodb-query.ts';
import { backoff } from './backoff.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import { type Statement, Statements } from './dynamodb-statements.ts';
import { type DynamodbTable, writeAll } from './dynamodb-writes.ts';
import {
  dueNameOf,
  dueSortKey,
  entrySortKey,
  SCHEDULE_DUE_PARTITION,
  SCHEDULE_PARTITION,
  timerUpperBound,
} from './keys.ts';

// All entries are in one partition, which takes 1,000 writes a second.
const PAGES_AT_ONCE = 4;
// Where a batch could not be made.
const SINGLES_AT_ONCE = 8;
// Of documents in one batch: few entries are so large, and a request has its own limits.
const PAGE_BYTES = 1_000_000;

/** An item of the partition by due time. It may be older than its entry. */
type DueMark = Pick<DueEntry, 'name' | 'dueMs'>;

/** Where the entries are: `table` is the table of state. */
export type DynamodbSchedulesOptions = DynamodbTable;

/** Schedule entries on DynamoDB: one partition by name, one by due time. */
export class DynamodbSchedules implements Schedules {
  readonly #store: DynamodbTable;
  readonly #statements: Statements;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbSchedulesOptions) {
    this.#store = options;
    this.#statements = new Statements(options.client);
  }

  async read(names: readonly string[]): Promise<(ScheduleItem | undefined)[]> {
    const found = new Map<string, ScheduleItem>();
    // The same key twice in one request is an error.
    const distinct = [...new Set(names)];
    const pages = Array.from({ length: Math.ceil(distinct.length / DYNAMODB_MAX_BATCH_GETS) }, (_, page) => page);
    await mapConcurrently(pages, PAGES_AT_ONCE, async (page) => {
      const start = page * DYNAMODB_MAX_BATCH_GETS;
      let open: Item[] = distinct.slice(start, start + DYNAMODB_MAX_BATCH_GETS).map(entryKey);
      for (let attempt = 0; open.length > 0; attempt += 1) {
        const { Responses, UnprocessedKeys } = await this.#store.client.send(
          new BatchGetItemCommand({ RequestItems: { [this.#store.table]: { Keys: open, ConsistentRead: true } } }),
        );
        for (const item of Responses?.[this.#store.table] ?? []) found.set(item['sk']?.S ?? '', itemOf(item));
        open = UnprocessedKeys?.[this.#store.table]?.Keys ?? [];
        if (open.length > 0) await backoff(attempt, this.#store.clock, this.#store.random);
      }
    });
    return names.map((name) => found.get(name));
  }

  async list(after: string | undefined, limit: number): Promise<ScheduleItem[]> {
    const items = await queryItems(
      this.#store,
      {
        ...inPartition(SCHEDULE_PARTITION),
        ...(after === undefined ? {} : { ExclusiveStartKey: entryKey(after) }),
      },
      { most: limit },
    );
    return items.map(itemOf);
  }

  async eachDue(
    untilMs: number,
    limit: number,
    visit: (due: readonly DueEntry[]) => Promise<readonly DueEntry[]>,
  ): Promise<void> {
    let after: DueMark | undefined;
    for (;;) {
      const marks = await this.#due(untilMs, limit, after);
      if (marks.length > 0) {
        const items = await this.read(marks.map(({ name }) => name));
        // Behind all that was written for them: a mark too many costs a look, and without one nobody looks at its entry.
        await this.#drop(await visit(marks.map((mark, index) => ({ ...mark, item: items[index] }))));
      }
      after = marks.at(-1);
      if (marks.length < limit || after === undefined) return;
    }
  }

  async #due(untilMs: number, limit: number, after: DueMark | undefined): Promise<DueMark[]> {
    // A sweep writes what it saw and asks again.
    const items = await queryItems(
      this.#store,
      {
        KeyConditionExpression: '#pk = :pk AND #sk <= :until',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: { ':pk': text(SCHEDULE_DUE_PARTITION), ':until': text(timerUpperBound(untilMs)) },
        ...(after === undefined ? {} : { ExclusiveStartKey: markKey(after) }),
      },
      { most: limit },
    );
    return items.map((item) => ({ name: dueNameOf(item['sk']?.S ?? ''), dueMs: Number(item['due']?.N ?? 0) }));
  }

  async write(items: readonly ScheduleItem[]): Promise<boolean[]> {
    await this.#writeMarks(
      items.flatMap(({ name, nextDueMs }) => (nextDueMs === null ? [] : { name, dueMs: nextDueMs })),
    );
    const [only] = items;
    if (items.length === 1 && only !== undefined) return [await this.#writeOne(only)];
    const pages = await mapConcurrently(pagesOf(items), PAGES_AT_ONCE, (page) => this.#writePage(page));
    return pages.flat();
  }

  async #writeMarks(marks: readonly DueMark[]): Promise<void> {
    const puts = marks.map((mark) => ({ ...markKey(mark), due: number(mark.dueMs) }));
    const [only] = puts;
    if (puts.length === 1 && only !== undefined)
      await this.#store.client.send(new PutItemCommand({ TableName: this.#store.table, Item: only }));
    else
      await writeAll(
        this.#store,
        puts.map((Item) => ({ PutRequest: { Item } })),
      );
  }

  async #writePage(items: readonly ScheduleItem[]): Promise<boolean[]> {
    const outcomes = await this.#statements.execute(items.map((item) => statementOf(this.#store.table, item)));
    const refused = items.filter((_, index) => outcomes[index] === 'refused');
    const stored = new Map((await this.read(refused.map(({ name }) => name))).map((item) => [item?.name, item]));
    return mapConcurrently(items, SINGLES_AT_ONCE, async (item, index) => {
      const outcome = outcomes[index] ?? 'unknown';
      if (outcome === 'unknown') return this.#writeOne(item);
      return outcome === 'done' || isSame(stored.get(item.name), item);
    });
  }

  async #writeOne(item: ScheduleItem): Promise<boolean> {
    try {
      await this.#store.client.send(
        new PutItemCommand({
          TableName: this.#store.table,
          Item: {
            ...entryKey(item.name),
            revision: number(item.revision),
            document: text(item.document),
            ...(item.nextDueMs === null ? {} : { due: number(item.nextDueMs) }),
          },
          ConditionExpression: item.revision === 1 ? 'attribute_not_exists(#pk)' : '#revision = :expected',
          ExpressionAttributeNames: item.revision === 1 ? { '#pk': 'pk' } : { '#revision': 'revision' },
          ...(item.revision === 1 ? {} : { ExpressionAttributeValues: { ':expected': number(item.revision - 1) } }),
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // Our own earlier write, whose answer was lost on the way.
      const [stored] = await this.read([item.name]);
      return isSame(stored, item);
    }
  }

  async remove(name: string, revision: number): Promise<boolean> {
    try {
      await this.#store.client.send(
        new DeleteItemCommand({
          TableName: this.#store.table,
          Key: entryKey(name),
          ConditionExpression: 'attribute_not_exists(#revision) OR #revision = :expected',
          ExpressionAttributeNames: { '#revision': 'revision' },
          ExpressionAttributeValues: { ':expected': number(revision) },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async #drop(marks: readonly DueMark[]): Promise<void> {
    const requests = new Map(
      marks.map((mark) => [dueSortKey(mark.dueMs, mark.name), { DeleteRequest: { Key: markKey(mark) } }]),
    );
    await writeAll(this.#store, [...requests.values()]);
  }
}

function statementOf(table: string, item: ScheduleItem): Statement {
  const fields: [string, AttributeValue][] = [
    ['revision', number(item.revision)],
    ['document', text(item.document)],
    ['due', item.nextDueMs === null ? { NULL: true } : number(item.nextDueMs)],
  ];
  const key = Object.entries(entryKey(item.name));
  if (item.revision === 1) {
    const all = [...key, ...fields];
    return {
      Statement: `INSERT INTO "${table}" VALUE {${all.map(([name]) => `'${name}': ?`).join(', ')}}`,
      Parameters: all.map(([, value]) => value),
    };
  }
  const condition: [string, AttributeValue][] = [...key, ['revision', number(item.revision - 1)]];
  const sets = fields.map(([name]) => `SET "${name}" = ?`).join(' ');
  return {
    Statement: `UPDATE "${table}" ${sets} WHERE ${condition.map(([name]) => `"${name}" = ?`).join(' AND ')}`,
    Parameters: [...fields, ...condition].map(([, value]) => value),
  };
}

/** Ours, whose answer was lost on the way. */
function isSame(stored: ScheduleItem | undefined, item: ScheduleItem): boolean {
  return stored?.revision === item.revision && stored.document === item.document;
}

/** As many as one request takes, by number and by size. */
function pagesOf(items: readonly ScheduleItem[]): ScheduleItem[][] {
  const pages: ScheduleItem[][] = [];
  let bytes = 0;
  for (const item of items) {
    const last = pages.at(-1);
    const size = Buffer.byteLength(item.document);
    if (last !== undefined && last.length < DYNAMODB_MAX_BATCH_STATEMENTS && bytes + size <= PAGE_BYTES) {
      last.push(item);
      bytes += size;
    } else {
      pages.push([item]);
      bytes = size;
    }
  }
  return pages;
}

function entryKey(name: string): Item {
  return { pk: text(SCHEDULE_PARTITION), sk: text(entrySortKey(name)) };
}

function markKey(mark: DueMark): Item {
  return { pk: text(SCHEDULE_DUE_PARTITION), sk: text(dueSortKey(mark.dueMs, mark.name)) };
}

function itemOf(item: Item): ScheduleItem {
  return {
    name: item['sk']?.S ?? '',
    revision: Number(item['revision']?.N ?? 0),
    nextDueMs: item['due']?.N === undefined ? null : Number(item['due'].N),
    document: item['document']?.S ?? '{}',
  };
}
