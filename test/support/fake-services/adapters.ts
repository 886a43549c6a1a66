/** The AWS adapters of two processes over the same fakes, request by request. */
import { Celeriac, silentLogger } from 'celeriac';
import { countingIds, ManualClock, seededRandom } from 'celeriac/testing';

import { connect, type Connected } from '../../../lib/aws/connect.ts';
import { MemoryBroker } from '../../../lib/memory/index.ts';
import type { FakeDynamodb } from './fake-dynamodb.ts';
import { clientsOver, fakeServices, type Send } from './services.ts';

export const NOW = 1_900_000_000_000;

export interface Adapters {
  readonly ports: Connected;
  /** The same table through another process. */
  readonly other: Connected;
  readonly sent: object[];
  readonly clock: ManualClock;
  readonly dynamodb: FakeDynamodb;
}

/** The adapters over fakes; `before` each request of the first process something may happen. */
export function adapters(
  before: (command: object, other: Connected) => Promise<void> = () => Promise.resolve(),
): Adapters {
  const app = new Celeriac('answers', { queues: { plain: {} }, logger: silentLogger });
  const clock = new ManualClock(NOW);
  const broker = new MemoryBroker({ clock, ids: countingIds(), queues: app.settings.queues });
  const { dynamodb, sqs, environment } = fakeServices(app, broker);
  const parts = { clock, random: seededRandom(1) };
  const straight: Send = (command) => dynamodb.send(command);
  const queues: Send = (command) => sqs.send(command);
  const other = connect(environment, parts, clientsOver(straight, queues));
  const sent: object[] = [];
  const disturbed: Send = async (command) => {
    sent.push(command as object);
    await before(command as object, other);
    return straight(command);
  };
  const ports = connect(environment, parts, clientsOver(disturbed, queues));
  return { ports, other, sent, clock, dynamodb };
}
