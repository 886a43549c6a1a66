/** The embedded cloud with an app of ours on one side, and real Celery on the other: a producer, and a worker. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { Celeriac } from 'celeriac';
import type { LocalCloud, LocalCloudOptions } from 'celeriac/local';

import { startCloud } from '../support/iam/cloud.ts';
import { EVERY_GRANT, rolesOf } from '../support/iam/roles.ts';
import { reasonToSkip } from '../support/python.ts';

// The access key of Celery's role.
const CELERY = 'celery';
const python = process.env['CELERIAC_PYTHON'] ?? '';

/** Why there is no Celery to talk to, which is said aloud; undefined where there is one. */
export function reasonWithoutCelery(what: string): string | undefined {
  return reasonToSkip(what, 'celery, boto3, pycurl');
}

/** The Celery and kombu that the tests run against. */
export function versions(): string {
  const code = 'import celery, kombu; print(celery.__version__, kombu.__version__)';
  // No output, where there is no Python of that name.
  const { stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8' }) as { readonly stdout: string | null };
  const [celery, kombu] = (stdout ?? '').trim().split(' ');
  return `Celery ${celery}, kombu ${kombu}`;
}

/** 5.6, say; without Celery the newest. */
export function celeryVersion(): number {
  const version = python === '' ? undefined : /Celery (\d+\.\d+)/.exec(versions())?.[1];
  return Number(version ?? Infinity);
}

/** What Python raised. */
export class PythonError extends Error {
  readonly module: string;

  constructor(name: string, message: string, module: string) {
    super(message);
    this.name = name;
    this.module = module;
  }
}

type Answer =
  | { readonly value: unknown }
  | { readonly error: string; readonly message: string; readonly module: string };

export interface RigOptions extends LocalCloudOptions {
  /** Starts Celery's worker too, for these queues. */
  readonly workerQueues?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export class Rig {
  readonly cloud: LocalCloud;
  readonly #folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #client: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #worker: ChildProcess | undefined;
  #asking: Promise<unknown> = Promise.resolve();

  static async start(app: Celeriac, options: RigOptions = {}): Promise<Rig> {
    const { workerQueues = [], environment = {}, ...cloudOptions } = options;
    const roles = rolesOf(app, {
      ...EVERY_GRANT,
      [CELERY]: (service, grantee) => void service.grantCelery(grantee),
    });
    const rig = new Rig(await startCloud(app, cloudOptions, roles), environment);
    if (workerQueues.length > 0) await rig.#startWorker(workerQueues);
    return rig;
  }

  private constructor(cloud: LocalCloud, environment: Readonly<Record<string, string>>) {
    this.cloud = cloud;
    this.#folder = mkdtempSync(join(tmpdir(), 'celeriac-interop-'));
    const port = (endpoint: string): string => new URL(endpoint).port;
    const { resultsTable } = cloud.environment;
    this.#environment = {
      ...process.env,
      PYTHONPATH: fileURLToPath(new URL('.', import.meta.url)),
      PYTHONDONTWRITEBYTECODE: '1',
      BROKER_URL: `sqs://${CELERY}:local@localhost:${port(cloud.endpoints.sqs)}//`,
      RESULT_BACKEND: `dynamodb://${CELERY}:local@localhost:${port(cloud.endpoints.dynamodb)}/${resultsTable}?ttl_seconds=86400`,
      QUEUE_NAME_PREFIX: `${cloud.app.name}-`,
      NOTES: join(this.#folder, 'notes'),
      AWS_ACCESS_KEY_ID: CELERY,
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_DEFAULT_REGION: 'us-east-1',
      ...environment,
    };
    this.#client = spawn(python, ['-m', 'proj.client'], {
      env: this.#environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = (createInterface(this.#client.stdout as NonNullable<ChildProcess['stdout']>) as Interface)[
      Symbol.asyncIterator
    ]();
  }

  /** Evaluates an expression of Python, one after another. Throws PythonError for what it raises. */
  ask<T = unknown>(code: string): Promise<T> {
    const answer = this.#asking.then(() => this.#ask(code));
    this.#asking = answer.catch(() => {});
    return answer as Promise<T>;
  }

  async #ask(code: string): Promise<unknown> {
    this.#client.stdin?.write(`${JSON.stringify({ code })}\n`);
    const { value: line, done } = await this.#lines.next();
    if (done === true) throw new Error('the Python client has ended');
    const answer = JSON.parse(line) as Answer;
    if ('error' in answer) throw new PythonError(answer.error, answer.message, answer.module);
    return answer.value;
  }

  /** What tasks in Python have noted, a line each. */
  notes(): string[] {
    const path = String(this.#environment['NOTES']);
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  }

  async #startWorker(queues: readonly string[]): Promise<void> {
    const options = ['-P', 'solo', '-Q', queues.join(','), '--without-gossip', '--without-mingle'];
    const worker = spawn(
      python,
      ['-m', 'celery', '-A', 'proj.celeryapp', 'worker', '-l', 'info', '--without-heartbeat', ...options],
      { cwd: this.#folder, env: this.#environment, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#worker = worker;
    const log: string[] = [];
    const ready = new Promise<void>((resolve, reject) => {
      createInterface(worker.stderr as NonNullable<ChildProcess['stderr']>).on('line', (line) => {
        log.push(line);
        if (/celery@.* ready/.test(line)) resolve();
      });
      worker.once('exit', (code) => reject(new Error(`Celery's worker ended with ${code}:\n${log.join('\n')}`)));
    });
    await ready;
  }

  async stop(): Promise<void> {
    this.#client.stdin?.end();
    await ended(this.#client);
    if (this.#worker !== undefined) {
      this.#worker.removeAllListeners('exit');
      // The second signal: a cold shutdown, which waits for nothing.
      this.#worker.kill('SIGQUIT');
      await ended(this.#worker);
    }
    await this.cloud.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  await once(child, 'exit');
  clearTimeout(late);
}
