/** A batch of the service's `lost` queue: messages that no worker got to handle. */
import type { BatchResponse, Delivery, Invocation } from '../ports/delivery.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import { work } from './consume.ts';
import { afterLostError, concludeLost } from './lost.ts';
import { createWorker } from './worker.ts';

export async function consumeLost(
  deliveries: readonly Delivery[],
  invocation: Invocation,
  app: App,
  ports: Ports,
): Promise<BatchResponse> {
  return work(deliveries, createWorker(app, ports, invocation), {
    handle: concludeLost,
    afterError: afterLostError,
  });
}
