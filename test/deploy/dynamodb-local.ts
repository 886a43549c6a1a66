/** Amazon's own DynamoDB Local, where Java and Maven are there: from Maven Central into a folder that git ignores. */
import { createWriteStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';

import type { LocalServer } from '../../lib/local/servers.ts';
import { freePort, ready } from './emulator.ts';
import { run, start } from './processes.ts';

export const FOLDER = '.dynamodb-local';
const SOURCES = 'test/deploy/dynamodb-local';

/** @returns the reason why there is none on this machine; undefined when it is installed. */
export async function installDynamodbLocal(): Promise<string | undefined> {
  for (const command of ['java --version', 'mvn --version']) {
    try {
      await run(command, process.env);
    } catch {
      return `there is no ${command.split(' ')[0]}`;
    }
  }
  if (existsSync(`${FOLDER}/complete`)) return undefined;
  try {
    await run(
      `mvn -q -B -f ${SOURCES}/pom.xml dependency:copy-dependencies -DoutputDirectory=${resolve(FOLDER)} && touch ${FOLDER}/complete`,
      process.env,
    );
    return undefined;
  } catch (error) {
    return `Maven could not fetch it: ${String(error).slice(-300)}`;
  }
}

/** In memory, on loopback, without telemetry. */
export async function startDynamodbLocal(log: string): Promise<LocalServer> {
  const port = await freePort();
  const server = start(
    'java',
    [
      '-cp',
      `${FOLDER}/*`,
      `-Djava.library.path=${FOLDER}`,
      `${SOURCES}/Loopback.java`,
      '-inMemory',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    { PATH: process.env['PATH'], DDB_LOCAL_TELEMETRY: '0' },
    createWriteStream(log),
  );
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    // Whatever it answers to a request that is none.
    await ready(endpoint, () => server.process.exitCode !== null, { status: 400 });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { endpoint, stop: server.stop };
}
