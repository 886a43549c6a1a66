/** Revoking on DynamoDB, opening again what has ended, and whether running tasks were revoked. Of a task that ends by itself nobody asks either. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetItemCommand } from '#aws-sdk';

import { DYNAMODB_MAX_BATCH_GETS } from '../base/limits.ts';
import { REVOKED } from '../base/states.ts';
import { isReopened } from '../ports/claims.ts';
import type { Backend, ReopenRequest } from '../ports/backend.ts';
import { ENDED_OTHERWISE, outcome, written } from './dynamodb-fields.ts';
import { isExpired, type Item, number, recordOf, text } from './dynamodb-record.ts';
import { resultKey } from './keys.ts';
import { UpdateBuilder } from './update-builder.ts';

type RevokeRequest = Parameters<Backend['revoke']>[0];

/** What is written to one task's item. */
export interface TaskItem {
  /** One conditional write. Where the condition fails, `item` is what stands there, or undefined for nothing. */
  readonly write: (update: UpdateBuilder) => Promise<{ readonly ok: boolean; readonly item: Item | undefined }>;
  readonly replaceExpired: <T>(again: () => Promise<T>) => Promise<T>;
}

/** Two writes where it runs: that it is not running is a condition, too. */
export async function revokeTask(request: RevokeRequest, task: TaskItem): Promise<string> {
  const again = (): Promise<string> => revokeTask(request, task);
  const waiting = noted(request, true).remove(...ENDED_OTHERWISE, 'settlement');
  waiting.when(waitingAt(waiting, request.nowMs));
  const done = await task.write(waiting);
  if (done.ok) return REVOKED;
  const record = done.item && recordOf(done.item);
  if (record === undefined) return again();
  if (isExpired(record, request.nowMs)) return task.replaceExpired(again);
  if (record.finishedMs !== undefined) return record.status;
  const running = noted(request, false);
  running.when(`attribute_not_exists(${running.name('finished')}) AND attribute_exists(${running.name('attempt')})`);
  const marked = await task.write(running);
  if (marked.ok) return record.status;
  return marked.item ? recordOf(marked.item).status : again();
}

function noted(request: RevokeRequest, final: boolean): UpdateBuilder {
  const update = new UpdateBuilder().set('revoked', number(request.nowMs));
  if (request.terminate === true) update.set('terminate', number(1));
  if (!final) return update;
  return update
    .setAll([
      ['status', text(REVOKED)],
      ['finished', number(request.nowMs)],
    ])
    .setAll(outcome(request))
    .setAll(written(request.nowMs, request));
}

/** Nobody finished it, and nobody runs any attempt of it. */
function waitingAt(update: UpdateBuilder, nowMs: number): string {
  const [finished, attempt, committed, lease] = ['finished', 'attempt', 'committed', 'lease'].map((field) =>
    update.name(field),
  );
  const notRunning = `attribute_not_exists(${attempt}) OR ${committed} = ${attempt} OR ${lease} < ${update.value(number(nowMs))}`;
  return `attribute_not_exists(${finished}) AND (${notRunning})`;
}

/** One write, on condition that it still stands as it was seen. */
export async function reopenTask(request: ReopenRequest, task: TaskItem): Promise<boolean> {
  const { attempt, finishedMs, past } = request;
  const update = new UpdateBuilder()
    .setAll([
      ['status', text(request.status)],
      ['attempt', number(attempt)],
      ['committed', number(attempt)],
      ['deliveries', number(0)],
      ['requeues', number(0)],
      ['name', text(request.name)],
      ['queue', text(request.queue)],
      ...(past === undefined ? [] : ([['past', text(past)]] as const)),
    ])
    .setAll(outcome(request))
    .setAll(written(request.nowMs, request))
    .remove('finished', 'owner');
  if (past === undefined) update.remove('past');
  update.when(
    finishedMs === undefined
      ? `attribute_not_exists(${update.name('id')})`
      : `${update.name('finished')} = ${update.value(number(finishedMs))}`,
  );
  const done = await task.write(update);
  if (done.ok) return true;
  const record = done.item && recordOf(done.item);
  // Our own earlier write, whose answer was lost on the way.
  if (record !== undefined && isReopened(record, request)) return true;
  if (record === undefined || !isExpired(record, request.nowMs)) return false;
  return task.replaceExpired(() => reopenTask(request, task));
}

/**
 * Half a read unit for each that has less than 4 KB: whoever asks does so again a few seconds later, and may miss what
 * was written a moment ago. What the service leaves out counts as not revoked until then.
 */
export async function readTerminated(
  ids: readonly string[],
  client: DynamoDBClient,
  table: string,
): Promise<boolean[]> {
  const terminated = new Set<string | undefined>();
  for (let start = 0; start < ids.length; start += DYNAMODB_MAX_BATCH_GETS) {
    const keys = [...new Set(ids.slice(start, start + DYNAMODB_MAX_BATCH_GETS).map(resultKey))];
    const { Responses } = await client.send(
      new BatchGetItemCommand({
        RequestItems: {
          [table]: {
            Keys: keys.map((key) => ({ id: text(key) })),
            ProjectionExpression: '#id, #terminate',
            ExpressionAttributeNames: { '#id': 'id', '#terminate': 'terminate' },
          },
        },
      }),
    );
    for (const item of Responses?.[table] ?? []) if (item['terminate'] !== undefined) terminated.add(item['id']?.S);
  }
  return ids.map((id) => terminated.has(resultKey(id)));
}
