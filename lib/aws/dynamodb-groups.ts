/** Groups on DynamoDB: sets of numbers, so that one idempotent write both marks a member and tells how its part stands. */
import { createHash } from 'node:crypto';

import { PutItemCommand, UpdateItemCommand } from '#aws-sdk';

import { zlib } from '../base/builtins.ts';
import { type GroupPart, partOf } from '../wire/group-ids.ts';
import type { GroupCount, GroupMark, GroupMarked, GroupRecord, Groups } from '../ports/groups.ts';
import { inPartition, type Query, queryPages, withPrefix } from './dynamodb-query.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import { type DynamodbTable, writeAll } from './dynamodb-writes.ts';
import { GROUP_LEAF_PREFIX, GROUP_ROOT, groupChunkKey, groupPartition, groupPartKey } from './keys.ts';
import { UpdateBuilder } from './update-builder.ts';

/** Where the groups are: `table` is the table of state. */
export type DynamodbGroupsOptions = DynamodbTable;

// Below the largest item, with room for keys and the other attributes.
const CHUNK_BYTES = 350_000;
// One attribute for each id: a path into a map would need the map to be there before.
const ID_PREFIX = 'id_';

/** Marks of one part, which share a write. */
interface SharedPart {
  readonly groupId: string;
  readonly size: number;
  readonly part: GroupPart;
  readonly marks: GroupMark[];
  answer: GroupMarked;
}

/**
 * Groups on DynamoDB: sets of members' indexes, so that one write, repeated or not, marks a member and tells how its
 * part stands.
 */
export class DynamodbGroups implements Groups {
  readonly #store: DynamodbTable;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbGroupsOptions) {
    this.#store = options;
  }

  mark(marks: readonly GroupMark[]): Promise<GroupMarked[]> {
    return this.#markLevel(marks, 0);
  }

  async count(groupId: string): Promise<GroupCount> {
    let done = 0;
    const failed: number[] = [];
    const memberIds = new Map<number, string>();
    for await (const items of this.#pages(groupId, GROUP_LEAF_PREFIX)) {
      for (const item of items) {
        done += item['done']?.NS?.length ?? 0;
        failed.push(...(item['failed']?.NS ?? []).map(Number));
        for (const [name, value] of Object.entries(item))
          if (name.startsWith(ID_PREFIX)) memberIds.set(Number(name.slice(ID_PREFIX.length)), value.S ?? '');
      }
    }
    return { done, failed: failed.toSorted((left, right) => left - right), memberIds };
  }

  async define(record: GroupRecord): Promise<void> {
    const body = zlib().deflateRawSync(record.definition);
    const digest = createHash('sha256').update(body).digest('hex').slice(0, 16);
    const chunks = Array.from({ length: Math.ceil(body.length / CHUNK_BYTES) }, (_, index) =>
      body.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
    );
    const [first = body, ...further] = chunks;
    const ttl = number(record.expiresAtSeconds);
    await Promise.all(
      further.map((chunk, index) =>
        this.#put({ ...key(record.groupId, groupChunkKey(digest, index + 1)), body: { B: chunk }, ttl }),
      ),
    );
    // Last: a root whose chunks were never written would be a broken definition.
    await this.#put({
      ...key(record.groupId, GROUP_ROOT),
      size: number(record.size),
      created: number(record.createdMs),
      chunks: number(chunks.length),
      digest: text(digest),
      body: { B: first },
      ttl,
    });
  }

  async definition(groupId: string, nowMs: number): Promise<GroupRecord | undefined> {
    const found = new Map<string, Item>();
    for await (const items of this.#pages(groupId, GROUP_ROOT))
      for (const item of items) found.set(item['sk']?.S ?? '', item);
    const root = found.get(GROUP_ROOT);
    const expiresAtSeconds = Number(root?.['ttl']?.N ?? 0);
    // DynamoDB deletes by TTL up to two days late: an expired item is none.
    if (root === undefined || expiresAtSeconds * 1000 <= nowMs) return undefined;
    const digest = root['digest']?.S ?? '';
    const bodies = Array.from({ length: Number(root['chunks']?.N ?? 0) }, (_, index) =>
      index === 0 ? root['body']?.B : found.get(groupChunkKey(digest, index))?.['body']?.B,
    );
    const present = bodies.filter((body) => body !== undefined);
    if (present.length < bodies.length) return undefined;
    return {
      groupId,
      size: Number(root['size']?.N ?? 0),
      createdMs: Number(root['created']?.N ?? 0),
      definition: zlib().inflateRawSync(Buffer.concat(present)).toString('utf8'),
      expiresAtSeconds,
    };
  }

  async forget(groupId: string): Promise<void> {
    for await (const items of this.#pages(groupId, '', {
      ProjectionExpression: '#pk, #sk',
      ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
    }))
      await writeAll(
        this.#store,
        items.map((item) => ({ DeleteRequest: { Key: item } })),
      );
  }

  /** Complete parts are marked again in the level above by every call, so that a crash in between heals. */
  async #markLevel(marks: readonly GroupMark[], level: number): Promise<GroupMarked[]> {
    const parts = new Map<string, SharedPart>();
    const partsOfMarks = marks.map((mark) => shareIn(parts, mark, level));
    await Promise.all([...parts.values()].map((shared) => this.#write(shared)));
    const rising = [...parts.values()].filter(({ part, answer }) => answer.complete && !part.top);
    const above = rising.length === 0 ? [] : await this.#markLevel(rising.map(markAbove), level + 1);
    for (const [index, shared] of rising.entries()) shared.answer = above[index] ?? shared.answer;
    return partsOfMarks.map((shared) => ({ ...shared.answer }));
  }

  async #write(shared: SharedPart): Promise<void> {
    const { groupId, part, marks } = shared;
    const update = new UpdateBuilder().set('ttl', number(latestExpiry(marks)));
    // A path set twice in one write is an error: the last id counts.
    const ids = new Map<number, string>();
    for (const { index, memberId } of marks) if (memberId !== undefined) ids.set(index, memberId);
    for (const [index, id] of ids) update.set(`${ID_PREFIX}${index}`, text(id));
    const failed = marks.filter((mark) => mark.failed);
    const adds = [
      `${update.name('done')} ${update.value(indexSet(marks))}`,
      ...(failed.length === 0 ? [] : [`${update.name('failed')} ${update.value(indexSet(failed))}`]),
    ];
    const built = update.build();
    const { Attributes: item } = await this.#store.client.send(
      new UpdateItemCommand({
        TableName: this.#store.table,
        Key: key(groupId, groupPartKey(part.level, part.number)),
        ...built,
        UpdateExpression: `${built.UpdateExpression} ADD ${adds.join(', ')}`,
        ReturnValues: 'ALL_NEW',
      }),
    );
    shared.answer = {
      complete: (item?.['done']?.NS?.length ?? 0) >= part.elements,
      failed: (item?.['failed']?.NS?.length ?? 0) > 0,
    };
  }

  async #put(item: Item): Promise<void> {
    await this.#store.client.send(new PutItemCommand({ TableName: this.#store.table, Item: item }));
  }

  /** Everything of a group whose sort key starts with the prefix; none means all. */
  async *#pages(groupId: string, prefix: string, more: Partial<Query> = {}): AsyncGenerator<Item[]> {
    const pk = groupPartition(groupId);
    const query = prefix === '' ? inPartition(pk) : withPrefix(pk, prefix);
    for await (const { Items } of queryPages(this.#store, { ...query, ...more })) yield Items ?? [];
  }
}

function key(groupId: string, sortKey: string): Item {
  return { pk: text(groupPartition(groupId)), sk: text(sortKey) };
}

function shareIn(parts: Map<string, SharedPart>, mark: GroupMark, level: number): SharedPart {
  const { groupId, size } = mark;
  const part = partOf(size, level, mark.index);
  const name = `${part.number}#${size}#${groupId}`;
  const shared = parts.get(name) ?? { groupId, size, part, marks: [], answer: { complete: false, failed: false } };
  shared.marks.push(mark);
  parts.set(name, shared);
  return shared;
}

/** A complete part, as an element of the part above it. */
function markAbove({ groupId, size, part, marks, answer }: SharedPart): GroupMark {
  return { groupId, size, index: part.number, failed: answer.failed, expiresAtSeconds: latestExpiry(marks) };
}

function latestExpiry(marks: readonly GroupMark[]): number {
  return Math.max(...marks.map((mark) => mark.expiresAtSeconds));
}

/** A set with an element twice is an error. */
function indexSet(marks: readonly GroupMark[]): { NS: string[] } {
  return { NS: [...new Set(marks.map((mark) => String(mark.index)))] };
}
