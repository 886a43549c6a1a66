/**
 * The transactional outbox: the message of a call as an item that joins a transaction of the caller's. It is a timer that is
 * due: whoever commits sends it at once, and where that process dies the next sweep does.
 */
import { ImproperlyConfigured, InvalidOption } from '../base/errors.ts';
import { errorLine } from '../base/error-text.ts';
import { kindOf } from '../canvas/build.ts';
import type { ApplyOptions } from '../options/apply-options.ts';
import type { Ports } from '../ports/ports.ts';
import type { Timer, TimerWrite } from '../ports/timers.ts';
import type { GroupResult } from '../results/group-result.ts';
import type { AsyncResult } from '../results/result.ts';
import type { Signature } from '../wire/signature.ts';
import type { App } from './app.ts';
import { onlyMessage } from './apply-canvas.ts';
import { requireKnownTree } from './known-tasks.ts';
import { goesByTimer, type Prepared, timerFor } from './publish.ts';
import { publishTelling } from './publish-signals.ts';
import { storedFirst } from './payloads.ts';
import { refuseMarkedLinks, refuseMarkedParts } from './refuse-marked.ts';

/** A call's message as a write of DynamoDB, to stand in a transaction of yours. */
export class OutboxItem<Sent extends { readonly id: string } = AsyncResult | GroupResult> {
  /** For `TransactItems` of DynamoDB's own client; `document` is that for the document client. */
  readonly Put: TimerWrite;
  readonly #result: Sent;
  readonly #flush: () => Promise<void>;

  /** The library's own use: `signature.toTransactItem()` makes them. */
  constructor(write: TimerWrite, result: Sent, flush: () => Promise<void>) {
    this.Put = write;
    this.#result = result;
    this.#flush = flush;
  }

  /** The same for the document client (`@aws-sdk/lib-dynamodb`), whose values are plain. */
  get document(): {
    readonly Put: { readonly TableName: string; readonly Item: Readonly<Record<string, string | number>> };
  } {
    const { TableName, Item } = this.Put;
    const plain = Object.entries(Item).map(
      ([name, value]) => [name, 'S' in value ? value.S : Number(value.N)] as const,
    );
    return { Put: { TableName, Item: Object.fromEntries(plain) } };
  }

  /** The id of its result, known before anything is written. */
  get id(): string {
    return this.#result.id;
  }

  /** What sending it would give: its result, to be asked once the transaction is committed. */
  get result(): Sent {
    return this.#result;
  }

  /**
   * Sends the message now: call it when the transaction is committed, and never before. Left out, or with an error, the next
   * sweep sends it, within a minute; sent twice it runs once.
   *
   * @throws EnqueueFailed: nothing is lost
   */
  async flush(): Promise<void> {
    await this.#flush();
  }
}

/**
 * @throws InvalidOption for what is more than one message, and for a call that another may stand for; MessageTooLarge, and what
 * `applyAsync` throws of its arguments and options
 */
export async function toOutboxItem(app: App, sig: Signature, options: ApplyOptions): Promise<OutboxItem> {
  if (app.settings.alwaysEager)
    throw new InvalidOption(
      'toTransactItem(): alwaysEager runs tasks in the caller, and sends no message to be stored.',
    );
  requireKnownTree(app, sig);
  refuseMarkedParts(app, sig);
  refuseMarkedLinks(app, options);
  const only = await onlyMessage(app, sig, options);
  if (only === undefined)
    throw new InvalidOption(
      `toTransactItem(): this ${kindOf(sig)} is many messages, and a transaction takes one item of it. Begin it with one task, as in chain(first.s(), group(...)).`,
    );
  // It may be sent by somebody else.
  only.prepared.span?.created();
  const ports = await app.ports();
  // Before the caller's transaction: its commit must not have to wait for it.
  const outgoing = await storedFirst(only.prepared.outgoing, ports);
  const item = timerFor({ ...only.prepared, outgoing }, ports.clock, app.settings);
  const write = await ports.timers.writeOf?.(item.timer);
  if (write === undefined)
    throw new ImproperlyConfigured(
      'toTransactItem(): the timers that app.use() was given have no writeOf(), so that nobody can say what to write. Give it DynamoDB timers.',
    );
  return new OutboxItem(write, only.result, () => flush(app, ports, item));
}

async function flush(
  app: App,
  ports: Ports,
  { timer, prepared }: { readonly timer: Timer; readonly prepared: Prepared },
): Promise<void> {
  const stays = goesByTimer(prepared, ports.clock.nowMs(), app.settings);
  await publishTelling(app, [prepared], ports);
  if (stays) return;
  try {
    await ports.timers.remove([timer]);
  } catch (error) {
    // It was sent: a timer that stays sends it once more, which runs nothing twice.
    ports.logger.log('warn', `The outbox's timer of ${timer.id} stays: ${errorLine(error)}`, { taskId: timer.id });
  }
}
