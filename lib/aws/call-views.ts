/** Ports as public calls see them. A worker's own are patient, and throw the SDK's errors. */
import type { Clock } from '../base/time.ts';
import { CallBudget, LastSuccess } from './call-budget.ts';
import type { AwsPorts, Clients, Connected } from './connected.ts';
import { EventBridgeRules } from './eventbridge-rules.ts';
import { brokerWithCeleriacErrors, watched, withCeleriacErrors } from './for-call.ts';

export interface Viewed {
  readonly own: AwsPorts;
  /** Undefined where the environment tells of no rules. */
  readonly rulePrefix: string | undefined;
  readonly clients: Clients;
  readonly clock: Clock;
  /** The same ports over other clients. */
  readonly over: (clients: Clients) => Omit<AwsPorts, 'rules' | 'blobs'>;
}

export function callViews({ own, rulePrefix, clients, clock, over }: Viewed): Connected['forCall'] {
  const lastSuccess = new LastSuccess();
  const rules = rulePrefix === undefined ? undefined : new EventBridgeRules(rulePrefix);
  return (given, seconds) => {
    const budget = seconds === undefined ? undefined : new CallBudget(seconds, clock, lastSuccess);
    const ports = over({
      sqs: watched(clients.sqs, 'SQS', budget),
      dynamodb: watched(clients.dynamodb, 'DynamoDB', budget),
    });
    const views: Partial<AwsPorts> = {
      broker: brokerWithCeleriacErrors(ports.broker),
      backend: withCeleriacErrors(ports.backend),
      timers: withCeleriacErrors(ports.timers),
      schedules: withCeleriacErrors(ports.schedules),
      groups: withCeleriacErrors(ports.groups),
      locks: withCeleriacErrors(ports.locks),
      pauses: withCeleriacErrors(ports.pauses),
      deadLetters: withCeleriacErrors(ports.deadLetters),
      celeryGroups: withCeleriacErrors(ports.celeryGroups),
      rates: withCeleriacErrors(ports.rates),
      slots: withCeleriacErrors(ports.slots),
      marks: withCeleriacErrors(ports.marks),
      history: withCeleriacErrors(ports.history),
      // Without the budget of the others: megabytes take their time.
      ...(own.blobs === undefined ? {} : { blobs: withCeleriacErrors(own.blobs) }),
      ...(rules === undefined
        ? {}
        : { rules: withCeleriacErrors(rules.watched((client) => watched(client, 'EventBridge', budget))) }),
    };
    const isOwn = (name: string): boolean => given[name as keyof AwsPorts] === own[name as keyof AwsPorts];
    return Promise.resolve(Object.fromEntries(Object.entries(views).filter(([name]) => isOwn(name))));
  };
}
