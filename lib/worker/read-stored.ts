/** Reading a message whose body may lie elsewhere: of apps with `largePayloads` alone. */
import { InvalidMessage, PayloadNotFound } from '../base/errors.ts';
import type { Delivery } from '../ports/delivery.ts';
import { openMessage } from '../producer/payloads.ts';
import type { Message } from '../wire/message.ts';
import type { Worker } from './worker.ts';

/** What was thrown where nothing helps but a dead letter; anything else is asked again. */
export type Read = { readonly message: Message } | { readonly unreadable: unknown };

/** @throws what the store throws: throttles pass, and a right that is missing may be granted. */
export async function readStored(delivery: Delivery, { app, ports }: Worker): Promise<Read> {
  try {
    return { message: await openMessage(delivery.body, app.settings, ports) };
  } catch (error) {
    if (InvalidMessage.is(error) || PayloadNotFound.is(error)) return { unreadable: error };
    throw error;
  }
}
