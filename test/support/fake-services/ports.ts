/** The AWS adapters over fakes of SQS and DynamoDB, for the suites that hold every adapter. */
import { Celeriac, silentLogger } from 'celeriac';
import { countingIds, ManualClock, seededRandom } from 'celeriac/testing';

import { type AwsPorts, connect } from '../../../lib/aws/connect.ts';
import { MemoryBroker } from '../../../lib/memory/index.ts';
import type { NotifyTold } from '../../../lib/options/manifest.ts';
import type { Notifying } from '../../../lib/ports/notices.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import { SHARDS } from '../../differential/same-histories.ts';
import { clientsOver, fakeServices, type Send } from './services.ts';

export function fakesApp(): Celeriac {
  return new Celeriac('fakes', {
    queues: { plain: {}, ordered: { fifo: true } },
    timerShards: SHARDS,
    logger: silentLogger,
  });
}

export interface FakePorts {
  readonly ports: AwsPorts;
  /** What lies behind the fake of SQS. */
  readonly broker: MemoryBroker;
  readonly notify: Ports['notify'];
}

/** Who is told of failures: a store without anything in it. */
export function fakeNotify(through: (send: Send) => Send = (send) => send): Promise<Notifying> {
  const notify = fakePorts(through, { window: 900 }).notify;
  if (notify === undefined) throw new Error('nobody is told');
  return notify();
}

/** @param through what DynamoDB's answers go through. Default: nothing. */
export function fakePorts(through: (send: Send) => Send = (send) => send, notify?: NotifyTold): FakePorts {
  const app = fakesApp();
  const clock = new ManualClock(1_900_000_000_000);
  // Pauses before what is left of a batch is asked for again.
  clock.sleep = () => Promise.resolve();
  const broker = new MemoryBroker({ clock, ids: countingIds(), queues: app.settings.queues });
  const { dynamodb, sqs, environment } = fakeServices(app, broker);
  const clients = clientsOver(
    through((command) => dynamodb.send(command)),
    (command) => sqs.send(command),
  );
  const ports = connect({ ...environment, notify }, { clock, random: seededRandom(1) }, clients);
  return { ports, broker, notify: ports.notify };
}
