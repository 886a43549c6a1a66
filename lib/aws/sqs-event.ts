/** Lambda's SQS event -> deliveries: the one place that knows its shape. */
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';

import { systemClock } from '../base/time.ts';
import type { Delivery, Invocation } from '../ports/delivery.ts';

/** Whether an event is one of SQS. */
export function isSqsEvent(event: object): event is SQSEvent {
  return 'Records' in event && Array.isArray(event.Records);
}

/** `queues` maps Celery's queue names to URLs; the event names queues by ARN, and both end with the physical name. */
export function deliveriesOf(event: SQSEvent, queues: Readonly<Record<string, string>>): Delivery[] {
  const names = new Map(Object.entries(queues).map(([name, url]) => [physicalName(url, '/'), name]));
  const nameOf = (arn: string): string => names.get(physicalName(arn, ':')) ?? physicalName(arn, ':');
  return event.Records.map((record) => deliveryOf(record, nameOf));
}

function deliveryOf(record: SQSRecord, nameOf: (arn: string) => string): Delivery {
  const { ApproximateReceiveCount, SentTimestamp, MessageGroupId, DeadLetterQueueSourceArn } = record.attributes;
  return {
    messageId: record.messageId,
    receipt: record.receiptHandle,
    body: record.body,
    queue: nameOf(record.eventSourceARN),
    receiveCount: Number(ApproximateReceiveCount),
    ...sentAt(SentTimestamp),
    ...(MessageGroupId === undefined ? {} : { groupId: MessageGroupId }),
    ...(DeadLetterQueueSourceArn === undefined ? {} : { lostFrom: nameOf(DeadLetterQueueSourceArn) }),
  };
}

/** Whatever calls a handler may leave it out, or write nonsense. */
export function sentAt(timestamp: string | undefined): Pick<Delivery, 'sentMs'> {
  const sentMs = Number(timestamp ?? Number.NaN);
  return Number.isSafeInteger(sentMs) ? { sentMs } : {};
}

/** The invocation as `app.consume()` takes it: its deadline from the time that Lambda says is left. */
export function invocationOf(context: Context): Invocation {
  return {
    deadlineMs: systemClock.nowMs() + context.getRemainingTimeInMillis(),
    requestId: context.awsRequestId,
  };
}

function physicalName(address: string, separator: string): string {
  return address.slice(address.lastIndexOf(separator) + 1);
}
