/** What a command has found of a service, as the monitor works with it. */
import { DynamodbAudit } from '../aws/dynamodb-audit.ts';
import { watched, withCeleriacErrors } from '../aws/for-call.ts';
import { SqsPurges } from '../aws/sqs-purges.ts';
import { heldAges } from '../monitor/queue-views.ts';
import type { MonitoredService } from '../monitor/service.ts';
import { eventSourcesOf } from './event-sources.ts';
import type { Service } from './service.ts';

export function monitoredService(service: Service): MonitoredService {
  const { app, hasCode, environment, taskNames, place, depths, clients } = service;
  const audit = withCeleriacErrors(
    new DynamodbAudit({ client: watched(clients.dynamodb, 'DynamoDB', undefined), table: environment.stateTable }),
  );
  return {
    app,
    hasCode,
    environment,
    taskNames,
    place,
    depths,
    oldestSeconds: heldAges((name) => service.requests.oldestMessageSeconds(name), app.clock),
    purges: withCeleriacErrors(
      new SqsPurges({ client: watched(clients.sqs, 'SQS', undefined), urls: environment.queues }),
    ),
    audit,
    // On one's own machine, by one's own rights.
    showValues: true,
    eventSources: () => Promise.resolve(eventSourcesOf(service)),
  };
}
