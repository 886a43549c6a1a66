/** The functions of a service, and what may be given to all of them or to some after they are made. */
import type { Grant } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';

import { refuseUnknownKeys } from '../lib/base/checks.ts';
import { ImproperlyConfigured } from '../lib/base/errors.ts';
import type { NotifyTold } from '../lib/options/manifest.ts';
import type { EncryptionKeys } from './encryption.ts';
import type { ServiceEnvironment } from './environment.ts';
import { grantAll, type Rights } from './grants.ts';
import type { TaskQueues } from './queues.ts';
import { giveSecret, type TaskSecret } from './secrets.ts';
import { setVariable } from './variables.ts';

/** Which functions get it. */
export interface GivenTo {
  /** Workers of these queues, by Celery's name, and no other function. @default - every worker, and the sweeper */
  readonly queues?: readonly string[];
}

const TO_KEYS: ReadonlySet<string> = new Set<keyof GivenTo>(['queues']);

export class ServiceFunctions {
  /** By Celery's name of the queue. */
  readonly workers: Readonly<Record<string, LambdaFn>>;
  readonly #sweeper: LambdaFn;
  readonly #queues: TaskQueues;
  readonly #processes: readonly string[];

  /** @param processes names of queues whose worker is a process */
  constructor(
    workers: Readonly<Record<string, LambdaFn>>,
    sweeper: LambdaFn,
    queues: TaskQueues,
    processes: readonly string[],
  ) {
    this.workers = workers;
    this.#processes = processes;
    this.#sweeper = sweeper;
    this.#queues = queues;
  }

  /** @throws QueueNotFound; ImproperlyConfigured for an external queue */
  worker(name: string): LambdaFn {
    const own = this.#queues.queueOfLane(name);
    const worker = Object.hasOwn(this.workers, own) ? this.workers[own] : undefined;
    if (worker !== undefined) return worker;
    this.#queues.queue(name);
    const why = this.#processes.includes(own)
      ? `has a process for its worker, no function: attach workerPolicy('${own}') to its role`
      : 'is external: its workers run elsewhere, and the service has none for it';
    throw new ImproperlyConfigured(
      `Queue '${name}' ${why}. It has workers of: ${Object.keys(this.workers).join(', ') || 'none'}.`,
    );
  }

  addEnvironment(name: string, value: string, to: GivenTo = {}): void {
    for (const fn of this.#named(to, 'addEnvironment')) setVariable(fn, name, value, 'addEnvironment');
  }

  grantSecret(secret: TaskSecret, variable: string, to: GivenTo = {}): Grant {
    return this.#named(to, 'grantSecret')
      .map((fn) => giveSecret(fn, variable, secret, 'grantSecret'))
      .reduce((all, grant) => all.combine(grant));
  }

  /** Lets all of them tell failures. */
  tell(
    notify: NotifyTold,
    rights: { readonly workerRights: readonly Rights[]; readonly sweeperRights: readonly Rights[] },
    keys: EncryptionKeys,
    environment: ServiceEnvironment,
  ): void {
    for (const fn of [...Object.values(this.workers), this.#sweeper]) {
      grantAll(fn, keys.with(fn === this.#sweeper ? rights.sweeperRights : rights.workerRights)).assertSuccess();
      environment.addTo(fn, { notify });
    }
  }

  #named(to: GivenTo, what: string): LambdaFn[] {
    // A slip of the fingers must not give a secret to everybody.
    refuseUnknownKeys(to, TO_KEYS, what);
    const { queues } = to;
    if (queues === undefined) return [...Object.values(this.workers), this.#sweeper];
    if (queues.length > 0) return queues.map((name) => this.worker(name));
    throw new ImproperlyConfigured(
      'queues: [] names no worker. Name a queue, or leave it out for every function of the service.',
    );
  }
}
