/** Event source mappings by hand: what comes next is decided by the test, not by time. */
import type { BatchFunction } from 'celeriac/local';
import type { SqsPoller } from '../../../lib/aws/poller.ts';

export interface Source {
  readonly poller: SqsPoller;
  readonly consume: BatchFunction;
}

// Far from every deadline.
const INVOCATION_MS = 60_000;

/** Delivers as Lambda does, until nothing is left. */
export async function deliverAll(sources: readonly (Source | undefined)[], nowMs: () => number): Promise<void> {
  const signal = new AbortController().signal;
  for (let quiet = 0; quiet < 2; quiet += 1) {
    for (const source of sources) {
      const deliveries = (await source?.poller.receive(0, signal)) ?? [];
      if (source === undefined || deliveries.length === 0) continue;
      quiet = -1;
      const invocation = { deadlineMs: nowMs() + INVOCATION_MS, requestId: 'request' };
      const { batchItemFailures } = await source.consume(deliveries, invocation);
      const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      const done = deliveries.filter(({ messageId }) => !kept.has(messageId));
      await source.poller.delete(done.map(({ receipt }) => receipt));
    }
  }
}

type Next = (args: { readonly input: object }) => Promise<unknown>;
export type Middleware = (next: Next, context: { readonly commandName?: string }) => Next;

/** Around every command of an SDK client. */
export function addMiddleware(client: unknown, middleware: Middleware): void {
  (client as { readonly middlewareStack: { add(middleware: Middleware, options: object): void } }).middlewareStack.add(
    middleware,
    { step: 'initialize', name: 'ofTheTest' },
  );
}
