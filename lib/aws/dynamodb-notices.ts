/**
 * What has been told of failures, on DynamoDB. The window is one item, with an attribute for each kind that was marked: one
 * conditional write marks a kind, opens the window where there is none, and a refused one tells all the kinds that are known.
 */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '#aws-sdk';
import type { QueryCommandOutput } from '@aws-sdk/client-dynamodb';

import { NOTICE_DIGEST_SECONDS } from '../base/limits.ts';
import {
  firstWindow,
  forgotten,
  noticeMinuteKey,
  noticesExpireAtSeconds,
  NOTICES_PARTITION,
  WINDOW_KEY,
} from '../ports/notice-place.ts';
import type {
  CloseRequest,
  Failure,
  KnownFailure,
  MarkOutcome,
  MarkRequest,
  NoticeMinute,
  Notices,
  NoticeWindow,
} from '../ports/notices.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import type { DynamodbTable } from './dynamodb-writes.ts';
import { UpdateBuilder } from './update-builder.ts';

/** Where the notes are: `table` is the table of state. */
export type DynamodbNoticesOptions = Pick<DynamodbTable, 'client' | 'table'>;

const WINDOW: Item = { pk: text(NOTICES_PARTITION), sk: text(WINDOW_KEY) };
// Before the key of a kind, in the names of its attributes: when it was marked, and the failure itself until it is told.
const KIND = 'k_';
const UNTOLD = 'f_';

/** What has been told, on the table of state. */
export class DynamodbNotices implements Notices {
  readonly #store: DynamodbNoticesOptions;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbNoticesOptions) {
    this.#store = options;
  }

  async window(): Promise<NoticeWindow | undefined> {
    const item = await this.#read();
    return item && windowOf(item);
  }

  async mark(request: MarkRequest): Promise<MarkOutcome> {
    const { failure, nowMs, limit } = request;
    const { key } = failure;
    const { startMs, untilMs } = firstWindow(request);
    const update = new UpdateBuilder()
      .set(`${KIND}${key}`, text(`${failure.endedMs} ${nowMs}`))
      .set(`${UNTOLD}${key}`, text(JSON.stringify(failure)))
      .setIfAbsent('start', number(startMs))
      .setIfAbsent('until', number(untilMs))
      .setIfAbsent('ttl', number(noticesExpireAtSeconds(untilMs)))
      .increment('marks');
    const room = `(attribute_not_exists(${update.name('marks')}) OR ${update.name('marks')} < ${update.value(number(limit))})`;
    update.when(`attribute_not_exists(${update.name(`${KIND}${key}`)}) AND ${room}`);
    const { ok, item } = await this.#write(update, true);
    // Closed between the refusal and the look: as if this one had been known, and the sweeper finds it in the history.
    const window = item === undefined ? { startMs, untilMs: startMs, marks: 0, known: new Map() } : windowOf(item);
    return { kind: ok ? 'marked' : item === undefined || window.known.has(key) ? 'known' : 'full', window };
  }

  async told(key: string): Promise<void> {
    const { client, table: TableName } = this.#store;
    try {
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key: WINDOW,
          UpdateExpression: 'REMOVE #untold',
          // Else it would make an item where a window has ended meanwhile.
          ConditionExpression: 'attribute_exists(#untold)',
          ExpressionAttributeNames: { '#untold': `${UNTOLD}${key}` },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async takeDigest({ untilMs }: NoticeWindow, nowMs: number): Promise<boolean> {
    const update = new UpdateBuilder().set('taken', number(nowMs + NOTICE_DIGEST_SECONDS * 1000));
    const free = `attribute_not_exists(${update.name('taken')}) OR ${update.name('taken')} <= ${update.value(number(nowMs))}`;
    const same = `${update.name('until')} = ${update.value(number(untilMs))}`;
    return (await this.#write(update.when(`${same} AND (${free})`))).ok;
  }

  async close(request: CloseRequest): Promise<void> {
    const { window, startMs, untilMs } = request;
    const gone = forgotten(request);
    if (gone.length === window.known.size && (await this.#deleteUnchanged(window))) return;
    const update = new UpdateBuilder()
      .set('start', number(startMs))
      .set('until', number(untilMs))
      .set('ttl', number(noticesExpireAtSeconds(untilMs)))
      // What was marked since the window was read counts in the next.
      .add('marks', number(-window.marks))
      .remove('taken', ...gone.flatMap((key) => [`${KIND}${key}`, `${UNTOLD}${key}`]));
    await this.#write(update.when(`${update.name('until')} = ${update.value(number(window.untilMs))}`));
  }

  async putMinute({ startMs, count, data, expiresAtSeconds }: Parameters<Notices['putMinute']>[0]): Promise<void> {
    const { client, table: TableName } = this.#store;
    try {
      await client.send(
        new PutItemCommand({
          TableName,
          Item: {
            pk: text(NOTICES_PARTITION),
            sk: text(noticeMinuteKey(startMs)),
            start: number(startMs),
            count: number(count),
            data: { B: data },
            ttl: number(expiresAtSeconds),
          },
          ConditionExpression: 'attribute_not_exists(#count) OR #count <= :count',
          ExpressionAttributeNames: { '#count': 'count' },
          ExpressionAttributeValues: { ':count': number(count) },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async minutes({ fromMs, untilMs }: Parameters<Notices['minutes']>[0]): Promise<readonly NoticeMinute[]> {
    const { client, table: TableName } = this.#store;
    const minutes: NoticeMinute[] = [];
    // DynamoDB refuses a range that ends before it begins.
    if (fromMs >= untilMs) return minutes;
    let from: Item | undefined;
    do {
      const page: QueryCommandOutput = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :until',
          ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
          ExpressionAttributeValues: {
            ':pk': text(NOTICES_PARTITION),
            ':from': text(noticeMinuteKey(fromMs)),
            ':until': text(noticeMinuteKey(untilMs - 1)),
          },
          ConsistentRead: true,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      minutes.push(...(page.Items ?? []).map(minuteOf));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return minutes;
  }

  async #read(): Promise<Item | undefined> {
    const { client, table: TableName } = this.#store;
    const { Item: item } = await client.send(new GetItemCommand({ TableName, Key: WINDOW, ConsistentRead: true }));
    return item;
  }

  /** False where something was marked since, or it is another one. */
  async #deleteUnchanged({ untilMs, marks }: NoticeWindow): Promise<boolean> {
    const { client, table: TableName } = this.#store;
    try {
      await client.send(
        new DeleteItemCommand({
          TableName,
          Key: WINDOW,
          ConditionExpression: '#until = :until AND #marks = :marks',
          ExpressionAttributeNames: { '#until': 'until', '#marks': 'marks' },
          ExpressionAttributeValues: { ':until': number(untilMs), ':marks': number(marks) },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** @param shown whether what stands there afterwards is asked for */
  async #write(
    update: UpdateBuilder,
    shown = false,
  ): Promise<{ readonly ok: boolean; readonly item: Item | undefined }> {
    const { client, table: TableName } = this.#store;
    try {
      const { Attributes: item } = await client.send(
        new UpdateItemCommand({
          TableName,
          Key: WINDOW,
          ...update.build(),
          ReturnValues: shown ? 'ALL_NEW' : 'NONE',
          ...(shown ? { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } : {}),
        }),
      );
      return { ok: true, item };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // Emulators refuse a write without showing the item.
      return { ok: false, item: shown ? (error.Item ?? (await this.#read())) : undefined };
    }
  }
}

function windowOf(item: Item): NoticeWindow {
  const known = new Map<string, KnownFailure>();
  for (const [name, value] of Object.entries(item)) {
    if (!name.startsWith(KIND)) continue;
    const key = name.slice(KIND.length);
    const [ended, marked] = (value.S ?? '').split(' ');
    const untold = item[`${UNTOLD}${key}`]?.S;
    known.set(key, {
      endedMs: Number(ended),
      markedMs: Number(marked ?? ended),
      ...(untold === undefined ? {} : { untold: JSON.parse(untold) as Failure }),
    });
  }
  const of = (name: string): number => Number(item[name]?.N ?? 0);
  return { startMs: of('start'), untilMs: of('until'), marks: of('marks'), known };
}

function minuteOf(item: Item): NoticeMinute {
  return {
    startMs: Number(item['start']?.N ?? 0),
    count: Number(item['count']?.N ?? 0),
    data: item['data']?.B ?? new Uint8Array(),
  };
}
