/** A worker process of the chaos run: its clients work on a bad network, and it may be killed at any moment. */
import { DynamoDBClient, SQSClient } from '#aws-sdk';
import { type Delivery, type Invocation, silentLogger } from 'celeriac';
import { connect } from '../../../lib/aws/connect.ts';
import { readEnvironment } from '../../../lib/options/environment.ts';
import { systemClock, systemRandom } from '../../../lib/base/time.ts';
import { actAs, signedByActor, workerOf } from '../../../lib/local/actors.ts';
import { ALL_FAULTS, type FaultCounts, randomFaults } from '../../support/fault-kinds.ts';
import { FaultyService } from '../../support/service-faults.ts';
import { newLoad } from '../world/load.ts';

const tell = (message: object): void => void process.send?.(message);
const load = newLoad(
  {
    run: (run, atMostOnce) => tell({ kind: 'run', run, atMostOnce }),
    ticks: { push: () => 0 },
  },
  { schedules: false },
);
load.attach(systemClock);
const counts: FaultCounts = {};
const handler = new FaultyService(randomFaults(ALL_FAULTS, counts));
const clients = {
  sqs: new SQSClient({ requestHandler: handler, maxAttempts: 4 }),
  dynamodb: new DynamoDBClient({ requestHandler: handler, maxAttempts: 6 }),
};
for (const client of Object.values(clients)) signedByActor(client);
load.app.use({
  ...connect(readEnvironment(load.app.name), { clock: systemClock, random: systemRandom }, clients),
  logger: silentLogger,
});

process.on(
  'message',
  (batch: { readonly id: number; readonly deliveries: Delivery[]; readonly invocation: Invocation }) => {
    // Each queue has a function of its own, and this process stands for all of them.
    void actAs(workerOf(batch.deliveries[0]?.queue ?? ''), () =>
      load.app.consume(batch.deliveries, batch.invocation),
    ).then((response) => tell({ kind: 'answer', id: batch.id, response, counts }));
  },
);
