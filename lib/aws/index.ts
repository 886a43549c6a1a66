export { dynamodbClient, sqsClient } from './clients.ts';
export { connect, type ConnectParts, queueAddresses } from './connect.ts';
export { DynamodbBackend, type DynamodbBackendOptions } from './dynamodb-backend.ts';
export { DynamodbCeleryGroups } from './dynamodb-celery-groups.ts';
export { DynamodbGroups, type DynamodbGroupsOptions } from './dynamodb-groups.ts';
export { DynamodbSchedules, type DynamodbSchedulesOptions } from './dynamodb-schedules.ts';
export { DynamodbTimers, type DynamodbTimersOptions } from './dynamodb-timers.ts';
export { type QueueAddress, SqsBroker, type SqsBrokerOptions } from './sqs-broker.ts';
export { deliveriesOf, invocationOf, isSqsEvent } from './sqs-event.ts';
