/** What the deploy test needs of an emulator of AWS, and MiniStack as one. */
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setDefaultCACertificates } from 'node:tls';

import { start } from './processes.ts';
import { until } from './report.ts';

export interface Emulator {
  readonly name: string;
  readonly endpoint: string;
  /** Of commands and clients that talk to it. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder of its own; it is gone when the emulator has stopped. */
  readonly folder: string;
  /** Whether each function calls under its own role, and what that does not grant is refused. */
  readonly enforcesRoles: boolean;
  /** Folder of the AWS CLI, where it is installed, and the emulator's CloudFormation takes templates of SAM. */
  readonly awsCli?: string;
  /** Whether its CloudFormation changes a rule that is there. */
  readonly updatesRules: boolean;
  stop(): Promise<void>;
}

export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';
const START_SECONDS = 60;
const VENV = '.ministack';

/** A port that nobody uses just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => {
    server.listen(0, '127.0.0.1', ready);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => {
    server.close(closed);
  });
  return port;
}

/** Only what is listed here: functions inherit an emulator's environment, and a stray variable would hide one that the stack forgot. */
export async function ownEnvironment(folder: string): Promise<Record<string, string>> {
  // CDK remembers accounts by access key in its home; nobody sits here to approve; and one folder takes one cdk at a time.
  await mkdir(join(folder, 'home'));
  const settings = { requireApproval: 'never', notices: false, output: join(folder, 'cdk.out') };
  await writeFile(join(folder, 'home', '.cdk.json'), JSON.stringify(settings));
  return {
    PATH: `${resolve('node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
    HOME: join(folder, 'home'),
    TMPDIR: folder,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: '1',
    npm_config_update_notifier: 'false',
  };
}

export interface Ready {
  /** Path of a certificate to trust, once it is there. */
  readonly certificate?: string;
  /** Of the answer. Default 200. */
  readonly status?: number;
}

/** Ready when `url` answers; it must not have ended before. */
export async function ready(
  url: string,
  hasEnded: () => boolean,
  { certificate, status = 200 }: Ready = {},
): Promise<void> {
  await until(
    `an answer from ${url}`,
    async () => {
      if (hasEnded()) throw new Error('The server ended at once; its log says why.');
      if (certificate !== undefined && existsSync(certificate))
        setDefaultCACertificates([readFileSync(certificate, 'utf8')]);
      return fetch(url).then(
        (response) => response.status,
        (error: unknown) => String(error),
      );
    },
    (seen) => seen === status,
    START_SECONDS,
  );
}

/**
 * MiniStack from the virtual environment `.ministack`, on loopback.
 *
 * @param log path of the file that its output goes to, and with it that of the functions.
 */
export async function startMinistack(log: string): Promise<Emulator> {
  const program = resolve(VENV, 'bin/ministack');
  if (!existsSync(program))
    throw new Error(
      `There is no MiniStack. Install it: python3 -m venv ${VENV} && ${VENV}/bin/pip install -r test/deploy/requirements.txt`,
    );
  const folder = await mkdtemp(join(tmpdir(), 'celeriac-deploy-'));
  const port = await freePort();
  const endpoint = `https://localhost:${port}`;
  // Where it puts the certificate that it makes for itself.
  const certificate = join(folder, 'ministack-tls/server.crt');
  const environment = { ...(await ownEnvironment(folder)), NODE_EXTRA_CA_CERTS: certificate };
  const server = start(
    program,
    [],
    {
      ...environment,
      // It listens on all interfaces otherwise.
      BIND_HOST: '127.0.0.1',
      // The host of queue URLs: one name for all, or clients warn of each.
      MINISTACK_HOST: 'localhost',
      GATEWAY_PORT: String(port),
      AWS_ENDPOINT_URL: endpoint,
      // Each function calls under its own role, and what that does not grant is refused.
      AUTH: 'true',
      // Policies that insist on TLS hold, too.
      USE_SSL: '1',
      S3_DATA_DIR: join(folder, 's3'),
      STATE_DIR: join(folder, 'state'),
    },
    createWriteStream(log),
  );
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(`${endpoint}/_ministack/health`, () => server.process.exitCode !== null, { certificate });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: 'MiniStack',
    awsCli: resolve(VENV, 'bin'),
    enforcesRoles: true,
    updatesRules: true,
    endpoint,
    environment: { ...environment, AWS_ENDPOINT_URL: endpoint },
    folder,
    stop,
  };
}
