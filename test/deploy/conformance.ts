/** Every port's conformance suite on servers that the project has not written. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';

import { provision } from '../../lib/aws/provision.ts';
import { systemClock } from '../../lib/base/time.ts';
import { awsCases } from '../support/aws-cases.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { installDynamodbLocal, startDynamodbLocal } from './dynamodb-local.ts';
import type { Emulator } from './emulator.ts';
import { listeningOutside } from './listening.ts';
import { equal, type Report } from './report.ts';

const DYNAMODB_LOCAL_LOG = 'dynamodb-local.log';

/** Queues and tables on the emulator. */
export async function emulatorConformance(report: Report, emulator: Emulator): Promise<void> {
  Object.assign(process.env, emulator.environment);
  const [sqs, dynamodb] = [new SQSClient({ useQueueUrlAsEndpoint: false }), new DynamoDBClient({})];
  await conformance(report, emulator.name, {
    endpoints: { sqs: emulator.endpoint, dynamodb: emulator.endpoint, s3: emulator.endpoint },
    sqs,
    dynamodb,
    provision: async (app) =>
      (
        await provision({
          manifest: app.manifest(),
          sqs,
          dynamodb,
          clock: systemClock,
          endpoint: emulator.endpoint,
          visibilitySeconds: 30,
          maxReceiveCount: 50,
        })
      ).environment,
    stop: async () => undefined,
  });
}

/** Tables on DynamoDB Local, queues on the embedded cloud's server; a note where this machine has none. */
export async function dynamodbLocalConformance(report: Report): Promise<void> {
  const missing = await installDynamodbLocal();
  if (missing !== undefined) {
    report.note(`Skipped: conformance on DynamoDB Local: ${missing}.`);
    return;
  }
  const servers = await report.step('DynamoDB Local starts', () =>
    startServers(() => startDynamodbLocal(DYNAMODB_LOCAL_LOG)),
  );
  if (servers === undefined) return;
  try {
    await conformance(report, 'DynamoDB Local', servers);
  } finally {
    await servers.stop();
  }
}

async function conformance(report: Report, where: string, servers: Servers): Promise<void> {
  await report.step(`conformance of all ports on ${where}`, async () => {
    const { suites, start } = awsCases();
    await start(servers);
    const failed: string[] = [];
    let passed = 0;
    for (const { port, cases } of suites)
      for (const each of cases)
        try {
          await each.run();
          passed += 1;
        } catch (error) {
          failed.push(
            `${port}: ${each.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          );
        }
    equal(listeningOutside(), [], 'sockets that are not on loopback');
    if (failed.length > 0)
      throw new Error(`${failed.length} of ${passed + failed.length} cases failed:\n${failed.join('\n')}`);
    return `${passed} cases`;
  });
}
