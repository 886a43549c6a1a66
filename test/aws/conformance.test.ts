/**
 * The rules of the ports, and random histories beside memory's, over fakes of SQS and DynamoDB: as they answer, and where each
 * answer holds as little as it may, so that what is asked for comes piece by piece.
 */
import {
  backendConformance,
  brokerConformance,
  type BrokerUnderTest,
  celeryGroupsConformance,
  type ConformanceCase,
  groupsConformance,
  locksConformance,
  marksConformance,
  noticesConformance,
  pausesConformance,
  ratesConformance,
  schedulesConformance,
  slotsConformance,
  timersConformance,
} from 'celeriac/testing';
import { describe, it } from 'vitest';

import { BatchGetItemCommand, BatchWriteItemCommand, QueryCommand } from '#aws-sdk';

import { memoryPorts, sameHistories } from '../differential/same-histories.ts';
import { fakeNotify, fakePorts } from '../support/fake-services/ports.ts';
import type { Send } from '../support/fake-services/services.ts';

// fakes/conformance.long.test.ts has more.
const RUNS = 10;

/** One item in a page, one key or request of a batch done: the rest is to be asked for again. */
function littleByLittle(send: Send): Send {
  return async (command) => {
    if (command instanceof QueryCommand) return send(new QueryCommand({ ...command.input, Limit: 1 }));
    if (command instanceof BatchGetItemCommand) {
      const [[table, asked] = ['', { Keys: [] }]] = Object.entries(command.input.RequestItems ?? {});
      // Whoever reads at a lower price asks again later, and takes what it gets.
      if (asked.ConsistentRead !== true) return send(command);
      const { Keys = [] } = asked;
      const [now, later] = [Keys.slice(0, 1), Keys.slice(1)];
      const answer = await send(new BatchGetItemCommand({ RequestItems: { [table]: { ...asked, Keys: now } } }));
      return { ...answer, UnprocessedKeys: later.length === 0 ? {} : { [table]: { ...asked, Keys: later } } };
    }
    if (command instanceof BatchWriteItemCommand) {
      const [[table, requests] = ['', []]] = Object.entries(command.input.RequestItems ?? {});
      const [now, later] = [requests.slice(0, 1), requests.slice(1)];
      const answer = await send(new BatchWriteItemCommand({ RequestItems: { [table]: now } }));
      return { ...answer, UnprocessedItems: later.length === 0 ? {} : { [table]: later } };
    }
    return send(command);
  };
}

function all(cases: readonly ConformanceCase[]): void {
  for (const each of cases) it(each.name, () => each.run());
}

describe.each<[string, (send: Send) => Send]>([
  ['whole answers', (send) => send],
  ['answers that hold one thing each', littleByLittle],
])('%s', (_what, through) => {
  const { ports } = fakePorts(through);
  describe('backend', () => all(backendConformance(ports.backend)));
  describe('timers', () => all(timersConformance(ports.timers)));
  describe('schedules', () => all(schedulesConformance(ports.schedules)));
  describe('groups', () => all(groupsConformance(ports.groups)));
  describe("Celery's groups", () => all(celeryGroupsConformance(ports.celeryGroups)));
  describe('marks', () => all(marksConformance(ports.marks)));
  describe('pauses', () => all(pausesConformance(ports.pauses)));
  describe('locks', () => all(locksConformance(ports.locks)));
  describe('notices', () => all(noticesConformance(async () => (await fakeNotify(through)).notices)));
  describe('rates', () => all(ratesConformance(ports.rates)));
  describe('slots', () => all(slotsConformance(ports.slots)));
  describe('broker', () => {
    all(
      brokerConformance((): BrokerUnderTest => {
        const { ports: own, broker } = fakePorts(through);
        return {
          broker: own.broker,
          standard: 'plain',
          fifo: 'ordered',
          receive: (queue) => Promise.resolve(broker.receive(queue, 10)),
          deadLetters: (queue) => Promise.resolve(broker.deadLetters(queue)),
          acknowledge: (queue, receipt) => Promise.resolve(broker.acknowledge(queue, receipt)),
        };
      }),
    );
  });

  const memory = memoryPorts();
  describe('the same histories as memory', () => {
    sameHistories(
      () => memory,
      () => ports,
      RUNS,
    );
  });
});
