/** LocalStack 4.14 without Docker, as the second emulator: the last that asks for no token. `npm run localstack` installs and uses it. */
import { createWriteStream, existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { FOLDER as DYNAMODB_LOCAL, installDynamodbLocal } from './dynamodb-local.ts';
import { type Emulator, freePort, ownEnvironment, ready } from './emulator.ts';
import { run, start } from './processes.ts';

const FOLDER = '.localstack';
const VENV = `${FOLDER}/venv`;
const SOURCES = 'test/deploy/localstack';
// It needs Python 3.13: what it is made of today imports what 3.12 lacks. A version manager's stub is there without being able to run.
const PYTHONS = ['python3.13', 'python3'];
/** Where it looks for what it would download otherwise: below its root, by these names. */
const LIBRARIES = 'var/lib/localstack';
const JARS = `${FOLDER}/lib/dynamodb-local/2`;

/** @throws Error where this machine lacks Python 3.13, Java or Maven. */
export async function installLocalstack(): Promise<void> {
  const missing = await installDynamodbLocal();
  if (missing !== undefined) throw new Error(`LocalStack needs DynamoDB Local: ${missing}.`);
  if (existsSync(`${FOLDER}/complete`)) return;
  const pip = `${VENV}/bin/pip install --quiet --disable-pip-version-check`;
  await run(`${await python()} -m venv ${VENV}`, process.env);
  await run(`${pip} -r ${SOURCES}/requirements.txt`, process.env);
  // Built from a copy: a build leaves its folders beside the sources.
  await rm(`${FOLDER}/executor`, { recursive: true, force: true });
  await cp(`${SOURCES}/executor`, `${FOLDER}/executor`, { recursive: true });
  await run(`${pip} --no-deps ${resolve(FOLDER)}/executor`, process.env);
  await buildDynamodbLocal();
  await writeFile(`${FOLDER}/complete`, '');
}

/**
 * LocalStack starts `DynamoDBLocal.jar` with an agent of its own, and all of it would be downloaded: Maven's files stand in for
 * that, with the main class that listens on loopback, and with an agent that does nothing.
 */
async function buildDynamodbLocal(): Promise<void> {
  await rm(`${FOLDER}/lib`, { recursive: true, force: true });
  await mkdir(`${JARS}/classes`, { recursive: true });
  await mkdir(`${FOLDER}/lib/java`);
  await symlink(resolve(DYNAMODB_LOCAL), `${JARS}/DynamoDBLocal_lib`);
  const java = await run('dirname "$(dirname "$(readlink -f "$(command -v java)")")"', process.env);
  // The release that it asks for; a younger or older one will do.
  await symlink(java.trim(), `${FOLDER}/lib/java/21`);
  const jars = (await readdir(DYNAMODB_LOCAL)).filter((name) => name.endsWith('.jar'));
  // A line of a manifest has 72 bytes; one that goes on begins with a space.
  const classPath = jars.map((name) => ` \n  DynamoDBLocal_lib/${name}`).join('');
  await writeFile(`${JARS}/main.txt`, `Main-Class: Loopback\nClass-Path:${classPath}\n`);
  await writeFile(`${JARS}/agent.txt`, 'Premain-Class: NoAgent\n');
  await run(
    [
      `javac -d ${JARS}/classes -cp '${DYNAMODB_LOCAL}/*' test/deploy/dynamodb-local/Loopback.java ${SOURCES}/NoAgent.java`,
      `jar cfm ${JARS}/DynamoDBLocal.jar ${JARS}/main.txt -C ${JARS}/classes Loopback.class`,
      `jar cfm ${JARS}/ddb-local-loader-0.1.jar ${JARS}/agent.txt -C ${JARS}/classes NoAgent.class`,
    ].join(' && '),
    process.env,
  );
}

async function python(): Promise<string> {
  const wanted = process.env['LOCALSTACK_PYTHON'];
  for (const each of wanted === undefined ? PYTHONS : [wanted]) {
    const works = await run(`${each} -c 'import sys; sys.exit(sys.version_info < (3, 13))'`, process.env).then(
      () => true,
      () => false,
    );
    if (works) return each;
  }
  throw new Error('LocalStack needs Python 3.13 or later; LOCALSTACK_PYTHON may name one.');
}

/**
 * Its functions are processes of this machine, by the executor beside this file; it checks no roles.
 *
 * @param log path of the file that its output goes to.
 */
export async function startLocalstack(log: string): Promise<Emulator> {
  await installLocalstack();
  const folder = await mkdtemp(join(tmpdir(), 'celeriac-localstack-'));
  const port = await freePort();
  const endpoint = `http://localhost:${port}`;
  const environment = await ownEnvironment(folder);
  await mkdir(join(folder, LIBRARIES), { recursive: true });
  await symlink(resolve(FOLDER, 'lib'), join(folder, LIBRARIES, 'lib'));
  const bin = resolve(VENV, 'bin');
  const server = start(
    join(bin, 'python'),
    [`${SOURCES}/loopback.py`],
    {
      ...environment,
      PATH: `${environment['PATH']}:${bin}`,
      GATEWAY_LISTEN: `127.0.0.1:${port}`,
      LOCALSTACK_HOST: `localhost:${port}`,
      SQS_ENDPOINT_STRATEGY: 'path',
      OVERRIDE_IN_DOCKER: '0',
      FILESYSTEM_ROOT: folder,
      LAMBDA_RUNTIME_EXECUTOR: 'process',
      LAMBDA_IGNORE_ARCHITECTURE: '1',
      DYNAMODB_IN_MEMORY: '1',
      DDB_LOCAL_TELEMETRY: '0',
      SKIP_SSL_CERT_DOWNLOAD: '1',
      DISABLE_EVENTS: '1',
      DNS_ADDRESS: '0',
    },
    createWriteStream(log),
  );
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(`${endpoint}/_localstack/health`, () => server.process.exitCode !== null);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: 'LocalStack',
    endpoint,
    environment: { ...environment, AWS_ENDPOINT_URL: endpoint },
    enforcesRoles: false,
    // Its provider of AWS::Events::Rule has no update (4.14.0), and leaves the old one.
    updatesRules: false,
    folder,
    stop,
  };
}
