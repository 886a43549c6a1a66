/** A message that goes on as a new one, to come again later. */
import type { CeleriacHeader, Message } from '../wire/message.ts';
import type { Delivery } from '../ports/delivery.ts';
import { deliveriesOf } from './attempt.ts';

/**
 * The same attempt under `header` too. SQS counts the new message's receives from one, so what came before them goes along:
 * a redelivered message stays one. The delivery that sends it on is none of them, since the next one takes its place.
 */
export function sentOn(message: Message, delivery: Delivery, header: CeleriacHeader): Message {
  const { celeriac } = message;
  const before = deliveriesOf(message, delivery) - 1;
  return {
    ...message,
    celeriac: {
      ...celeriac,
      ...header,
      hops: (celeriac.hops ?? 0) + 1,
      ...(before === 0 ? {} : { deliveries: before }),
    },
  };
}
