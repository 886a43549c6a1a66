/** SQS, DynamoDB and S3, emulated over HTTP, for tests of the adapters themselves: nothing delivers messages here. */
import { DynamoDBClient, SQSClient } from '#aws-sdk';
import type { Celeriac } from 'celeriac';
import type { Authorize } from 'celeriac/local';
import type { Clients } from '../../lib/aws/connect.ts';
import { provision } from '../../lib/aws/provision.ts';
import { startS3 } from '../../lib/local/s3-server.ts';
import { type LocalServer, startDynamodb, startSqs } from '../../lib/local/servers.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { systemClock } from '../../lib/base/time.ts';

export interface Servers extends Clients {
  readonly endpoints: { readonly sqs: string; readonly dynamodb: string; readonly s3: string };
  /** Makes the queues and tables of an app. */
  readonly provision: (app: Celeriac) => Promise<Environment>;
  readonly stop: () => Promise<unknown>;
}

export async function startServers(
  startTables: (port?: number, authorize?: Authorize) => Promise<LocalServer> = startDynamodb,
  authorize?: Authorize,
): Promise<Servers> {
  const [sqsServer, dynamodbServer, s3Server] = await Promise.all([
    startSqs(0, authorize),
    startTables(0, authorize),
    startS3(0, authorize),
  ]);
  const common = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const sqs = new SQSClient({ ...common, endpoint: sqsServer.endpoint });
  const dynamodb = new DynamoDBClient({ ...common, endpoint: dynamodbServer.endpoint });
  return {
    endpoints: { sqs: sqsServer.endpoint, dynamodb: dynamodbServer.endpoint, s3: s3Server.endpoint },
    sqs,
    dynamodb,
    provision: async (app) => {
      const { environment } = await provision({
        manifest: app.manifest(),
        sqs,
        dynamodb,
        clock: systemClock,
        endpoint: sqsServer.endpoint,
        visibilitySeconds: 30,
        maxReceiveCount: 50,
      });
      return environment;
    },
    stop: () => Promise.all([sqsServer, dynamodbServer, s3Server].map((server) => server.stop())),
  };
}
