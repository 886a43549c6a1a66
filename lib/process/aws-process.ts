/** A worker process on AWS's services, or on an emulator of them. */
import { encryptionBy } from '../app/encrypted-ports.ts';
import { type Clients, connect } from '../aws/connect.ts';
import { DynamodbLeases } from '../aws/dynamodb-leases.ts';
import { SqsIntake } from '../aws/sqs-intake.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { systemClock, systemIds, systemRandom } from '../base/time.ts';
import type { Environment } from '../options/manifest.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import type { ProcessWorkerOptions } from './process-options.ts';
import { ProcessWorker } from './process-worker.ts';

/** @param wrap gives ports in the place of those of `clients`. @throws QueueNotFound, ImproperlyConfigured */
export function awsProcess(
  app: App,
  environment: Environment,
  clients: Clients,
  options: ProcessWorkerOptions,
  wrap: (ports: Ports) => Partial<Ports> = () => ({}),
): ProcessWorker {
  const common = { clock: systemClock, ids: systemIds, random: systemRandom, logger: app.logger };
  const { forCall: _patient, ...own } = connect(environment, common, clients);
  const ports: Ports = { ...own, ...common };
  const plain: Ports = { ...ports, ...wrap(ports) };
  const { codec } = app.settings;
  const worker = new ProcessWorker(
    {
      app,
      ports: codec === undefined ? plain : encryptionBy(codec).ports(plain, 'worker'),
      leases: new DynamodbLeases({ client: clients.dynamodb, table: environment.resultsTable }),
      intake: new SqsIntake(clients.sqs, environment.queues),
    },
    options,
  );
  const missing = worker.queues.find((queue) => environment.queues[queue] === undefined);
  if (missing === undefined) return worker;
  throw new ImproperlyConfigured(
    `Queue '${missing}' is in the app and not in the service that was found, which has ${Object.keys(environment.queues).join(', ')}. Deploy the service, or name the one that is meant.`,
  );
}
