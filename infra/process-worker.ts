/** What a worker process needs: the rights of a worker function, as a policy to attach, and its environment. */
import { type IGrantable, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

import { ImproperlyConfigured } from '../lib/base/errors.ts';
import { type AppManifest, type NotifyTold, processQueuesOf } from '../lib/options/manifest.ts';
import type { EncryptionKeys } from './encryption.ts';
import type { ServiceEnvironment } from './environment.ts';
import { grantAll, readPauses, type Rights } from './grants.ts';
import type { PayloadKeys } from './payload-keys.ts';
import type { TaskQueues } from './queues.ts';
import type { TaskTables } from './tables.ts';
import { usedFlow, workerRights } from './worker-rights.ts';

/** What they work with. */
export interface ProcessService {
  readonly manifest: AppManifest;
  readonly queues: TaskQueues;
  readonly tables: TaskTables;
  readonly payloadKeys: PayloadKeys;
}

/** A policy for each queue whose worker is a process. */
export class ProcessWorkers extends Construct {
  /** Names of those queues. */
  readonly queues: readonly string[];
  readonly #policies: Readonly<Record<string, ManagedPolicy>>;
  readonly #service: ProcessService;
  readonly #keys: EncryptionKeys;
  readonly #environment: ServiceEnvironment;
  #notify: NotifyTold | undefined;

  constructor(
    scope: Construct,
    id: string,
    service: ProcessService,
    keys: EncryptionKeys,
    environment: ServiceEnvironment,
  ) {
    super(scope, id);
    this.#service = service;
    this.#keys = keys;
    this.#environment = environment;
    this.queues = processQueuesOf(service.manifest);
    this.#policies = Object.fromEntries(
      this.queues.map((queue) => {
        const description = `celeriac worker -Q ${queue} of app ${service.manifest.name}`;
        const policy = new ManagedPolicy(this, queue, { description });
        this.#grant(policy, queue);
        return [queue, policy];
      }),
    );
  }

  /** @throws QueueNotFound; ImproperlyConfigured for a queue with another worker */
  policy(queue: string): ManagedPolicy {
    const policy = this.#policies[this.#checked(queue)];
    if (policy === undefined) throw new ImproperlyConfigured(`Queue '${queue}' has no policy.`);
    return policy;
  }

  /** Environment variables. @throws QueueNotFound; ImproperlyConfigured for a queue with another worker */
  variables(queues: readonly string[] = this.queues): Record<string, string> {
    const rejectable = queues.map((queue) => this.#checked(queue));
    return {
      ...this.#service.payloadKeys.variables(),
      ...this.#environment.variables({ rejectable, rules: true, notify: this.#notify }),
    };
  }

  /** Lets all of them tell failures; `variables()` say so from then on. */
  tell(told: NotifyTold, rights: readonly Rights[]): void {
    this.#notify = told;
    for (const policy of Object.values(this.#policies)) grantAll(policy, this.#keys.with(rights)).assertSuccess();
  }

  #grant(grantee: IGrantable, queue: string): void {
    const { manifest, queues, tables, payloadKeys } = this.#service;
    const fed = [queue, ...(manifest.queues[queue]?.lanes ?? []).map(([, lane]) => lane)];
    const ruled = new Set(manifest.beat.filter(({ firedBy }) => firedBy === 'rule').map((entry) => entry.queue));
    const rights = workerRights({
      queue,
      fed: [...new Set(fed)],
      queues,
      tables,
      payloadKeys,
      flow: usedFlow(manifest),
      ticked: fed.some((each) => ruled.has(each)),
    });
    // A function is fed, or not; a process looks for itself.
    grantAll(grantee, this.#keys.with([...rights, readPauses(tables.state)])).assertSuccess();
  }

  #checked(queue: string): string {
    const own = this.#service.queues.queueOfLane(queue);
    if (Object.hasOwn(this.#policies, own)) return own;
    this.#service.queues.queue(queue);
    throw new ImproperlyConfigured(
      `Queue '${queue}' has no process for its worker. Those that have: ${Object.keys(this.#policies).join(', ') || 'none'}. Declare it so: queues: { ${own}: { worker: 'process' } }.`,
    );
  }
}
