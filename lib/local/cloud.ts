/**
 * The embedded cloud: real SDK calls over HTTP to servers in this process, a pump in the place of
 * Lambda's event source mapping, and the minute tick in the place of EventBridge.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
// Not by name: the declarations that users read name the SDK's own.
import * as sdk from '#aws-sdk';

import type { Celeriac } from '../app/app.ts';
import { type Clients, connect } from '../aws/connect.ts';
import { DynamodbPauses } from '../aws/dynamodb-pauses.ts';
import { type DeadLetter, peekDeadLetters, SqsPoller } from '../aws/poller.ts';
import { provision } from '../aws/provision.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { MemoryRules } from '../memory/memory-rules.ts';
import type { Logger } from '../ports/log.ts';
import type { Notifier } from '../ports/notices.ts';
import type { Ports } from '../ports/ports.ts';
import { hasFunction, workOn } from './process-queues.ts';
import { batchSizeOf, workersOf } from '../options/at-once.ts';
import { type Environment, type NotifyTold, processQueuesOf } from '../options/manifest.ts';
import { compactFields, serviceVariable } from '../options/service-variable.ts';
import { packTaskNames } from '../base/task-names.ts';
import { systemClock } from '../base/time.ts';
import { WAKE_QUEUE } from '../ports/wake-up.ts';
import { LOST_QUEUE } from '../ports/delivery.ts';
import { actAs, CALLER, OPERATOR, RULES, signedByActor, SWEEPER, workerOf } from './actors.ts';
import type { Authorize } from './authorize.ts';
import { PausedQueues } from './paused-queues.ts';
import { type BatchFunction, Pump } from './pump.ts';
import { localRulePrefix, startRules } from './rules-server.ts';
import { type PayloadStore, type Started, startPayloads } from './payload-store.ts';
import { type LocalServer, startDynamodb, startSqs } from './servers.ts';
import { type LocalStatus, type LocalStatusUrl, serveStatus } from './status-server.ts';
import { wrapped } from './wrap-ports.ts';

/** How the embedded cloud runs. */
export interface LocalCloudOptions {
  /** Length of an invocation, as Lambda's timeout. Default 60 s. */
  readonly invocation?: Duration;
  /** Visibility timeout of the queues. Default: invocation + 30 s. */
  readonly visibility?: Duration;
  /** Receives before a message moves to the lost queue. Default 50. */
  readonly maxReceiveCount?: number;
  /** Time between two sweeps. Default 60 s, as on AWS. */
  readonly sweepEvery?: Duration;
  /** Where the app's log lines go. Default: where the app's options say. */
  readonly logger?: Logger;
  /** Stands for the deployed worker function; for tests of workers that die. Default: the app in this process. */
  readonly worker?: BatchFunction;
  /** Works on queues whose worker is a process, in this one. Default true; false leaves them to `celeriac worker`. */
  readonly processes?: boolean;
  /** Wraps the SDK's ports; for counters and faults. */
  readonly wrapPorts?: (
    ports: Pick<Ports, 'broker' | 'backend' | 'timers'>,
  ) => Pick<Ports, 'broker' | 'backend' | 'timers'>;
  /** Another cloud, whose servers this one uses: a function reaches both services. It is stopped before that one. */
  readonly beside?: LocalCloud;
  /** Servers that somebody else has started and stops. Default: two of its own, in memory. */
  readonly endpoints?: { readonly sqs: string; readonly dynamodb: string };
  /** EventBridge's rules, with what an earlier process has kept of them. Default: as the app declares them. */
  readonly rules?: MemoryRules;
  /** Who is told of failures, as a deployed function would be: `AWS_ENDPOINT_URL_SNS` says where its topic is. Default: nobody. */
  readonly notify?: NotifyTold;
  /** Sends those mails, in the place of a topic. Default: none; without a topic failures are marked and counted, and nobody is told. */
  readonly notifier?: Notifier;
  /** Serves states of single tasks by address, as `addStatusUrl` does: `result.statusUrl()` works. Default false. */
  readonly statusUrl?: boolean | LocalStatusUrl;
  /** Asked of each request before it is answered, who may make it; for tests of roles. Default: everybody may do all. */
  readonly authorize?: Authorize;
}

// Pollers per queue: Lambda keeps five at a quiet queue; two do on one machine.
const POLLERS = 2;

/**
 * An app's service on this machine: SQS and DynamoDB servers on loopback, pollers in the place of Lambda's event source
 * mapping, a sweep each minute. Real time, real requests by the SDK's clients.
 */
export class LocalCloud {
  /** The app whose calls go to this cloud. */
  readonly app: Celeriac;
  /** Names and URLs of its queues and tables. */
  readonly environment: Environment;
  /** Of no function, with every right: for whoever looks into the cloud. */
  readonly sqs: SQSClient;
  /** The same for DynamoDB. */
  readonly dynamodb: DynamoDBClient;
  /** Those of the app and its functions. */
  readonly clients: Clients;
  /** URLs of both servers. */
  readonly endpoints: { readonly sqs: string; readonly dynamodb: string };
  readonly #payloads: PayloadStore | undefined;
  readonly #servers: readonly LocalServer[];
  readonly #options: LocalCloudOptions;
  readonly #lostQueues: readonly string[];
  /** EventBridge's rules, as the app declared them when the cloud started. */
  readonly rules: MemoryRules;
  /** Where other processes switch them; none where no entry is fired by a rule. */
  #rulesServer: LocalServer | undefined;
  #status: LocalStatus | undefined;
  readonly #stop = new AbortController();
  readonly #work: Promise<void>[] = [];
  readonly #invocationSeconds: number;

  /** Starts servers, makes queues and tables, wires `app` to them, and begins to deliver. */
  static async start(app: Celeriac, options: LocalCloudOptions = {}): Promise<LocalCloud> {
    const { authorize } = options;
    const given = options.endpoints ?? options.beside?.endpoints;
    const servers = given === undefined ? await Promise.all([startSqs(0, authorize), startDynamodb(0, authorize)]) : [];
    const endpoints = given ?? { sqs: servers[0]?.endpoint ?? '', dynamodb: servers[1]?.endpoint ?? '' };
    // Emulators take any credentials; the SDK insists on some.
    const common = { region: 'us-east-1', credentials: { accessKeyId: OPERATOR, secretAccessKey: OPERATOR } };
    const newClients = () => ({
      sqs: new sdk.SQSClient({ ...common, endpoint: endpoints.sqs }),
      dynamodb: new sdk.DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
    });
    const { sqs, dynamodb } = newClients();
    const signed = newClients();
    for (const client of Object.values(signed)) signedByActor(client);
    const invocationSeconds = durationSeconds(options.invocation ?? 60, 'invocation', 1);
    const provisioned = await provision({
      manifest: app.manifest(),
      sqs,
      dynamodb,
      clock: systemClock,
      endpoint: endpoints.sqs,
      visibilitySeconds: durationSeconds(options.visibility ?? invocationSeconds + 30, 'visibility', 1),
      maxReceiveCount: options.maxReceiveCount ?? 50,
    });
    const { notify } = options;
    const environment = { ...provisioned.environment, ...(notify === undefined ? {} : { notify }) };
    const payloads = await startPayloads(environment.payloadBucket, authorize);
    const own: Clients = { ...signed, blobs: payloads?.blobs };
    const ports = connect(environment, { clock: systemClock, random: app.random }, own);
    const cloud = new LocalCloud(
      app,
      options,
      environment,
      provisioned.lostQueues,
      { sqs, dynamodb },
      own,
      { servers, endpoints, payloads },
      invocationSeconds,
    );
    app.use({
      ...ports,
      ...wrapped(ports, options),
      rules: cloud.rules,
      ...(options.logger === undefined ? {} : { logger: options.logger }),
    });
    const { beat } = app.manifest();
    cloud.rules.deploy(beat);
    if (beat.some(({ firedBy }) => firedBy === 'rule'))
      cloud.#rulesServer = await startRules(cloud.rules, localRulePrefix(app.name), beat, authorize);
    const { statusUrl = false } = options;
    if (statusUrl !== false) cloud.#status = await serveStatus(app, statusUrl === true ? {} : statusUrl);
    cloud.#begin();
    return cloud;
  }

  private constructor(
    app: Celeriac,
    options: LocalCloudOptions,
    environment: Environment,
    lostQueues: readonly string[],
    operator: Clients,
    clients: Clients,
    { servers, endpoints, payloads }: Started,
    invocationSeconds: number,
  ) {
    this.app = app;
    this.#options = options;
    this.rules = options.rules ?? new MemoryRules(systemClock);
    this.environment = environment;
    this.#lostQueues = lostQueues;
    this.sqs = operator.sqs;
    this.dynamodb = operator.dynamodb;
    this.clients = clients;
    this.#servers = servers;
    this.endpoints = endpoints;
    this.#payloads = payloads;
    this.#invocationSeconds = invocationSeconds;
  }

  /** The environment variables that a function deployed here would have. @param accessKeyId tells whose function it is. */
  variables(accessKeyId: string = CALLER): Record<string, string> {
    const { environment } = this;
    const tasks = packTaskNames(Object.keys(this.app.manifest().tasks));
    const rules = this.#rulesServer?.endpoint;
    const rulePrefix = rules === undefined ? undefined : localRulePrefix(environment.app);
    return {
      [serviceVariable(environment.app)]: JSON.stringify(compactFields({ ...environment, rulePrefix, tasks })),
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: OPERATOR,
      AWS_ENDPOINT_URL_SQS: this.endpoints.sqs,
      AWS_ENDPOINT_URL_DYNAMODB: this.endpoints.dynamodb,
      // The ages of messages alone.
      AWS_ENDPOINT_URL_CLOUDWATCH: this.endpoints.sqs,
      ...(rules === undefined ? {} : { AWS_ENDPOINT_URL_EVENTBRIDGE: rules }),
      ...this.#status?.variables,
      ...this.#payloads?.variables,
    };
  }

  /** What lies in a queue's dead-letter queue, up to ten. */
  deadLetters(queue: string = this.app.settings.defaultQueue): Promise<DeadLetter[]> {
    return peekDeadLetters(this.sqs, this.environment.deadLetterQueues[queue] ?? '');
  }

  /** Stops pollers, clients and servers, after the batches under way. The app has no broker any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#work);
    for (const client of [this.sqs, this.dynamodb, this.clients.sqs, this.clients.dynamodb]) client.destroy();
    const all = [...this.#servers, this.#rulesServer, this.#status, this.#payloads?.server].filter(
      (server) => server !== undefined,
    );
    await Promise.all(all.map((server) => server.stop()));
    this.app.use(undefined);
  }

  #begin(): void {
    const { sqs } = this.clients;
    const pauses = new DynamodbPauses({ client: this.dynamodb, table: this.environment.stateTable });
    const pump = new Pump(this.app, new PausedQueues(pauses), this.#invocationSeconds * 1000, this.#stop.signal);
    const everyMs = durationSeconds(this.#options.sweepEvery ?? 60, 'sweepEvery', 1) * 1000;
    const names = new Map(
      Object.entries(this.environment.queues).map(([name, url]) => [url.slice(url.lastIndexOf('/') + 1), name]),
    );
    const worker: BatchFunction =
      this.#options.worker ?? ((deliveries, invocation) => this.app.consume(deliveries, invocation));
    for (const queue of processQueuesOf(this.app.manifest()))
      if (this.#options.processes !== false) this.#runProcess(queue);
    for (const [queue, url] of Object.entries(this.environment.queues)) {
      if (this.environment.externalQueues.includes(queue) || !hasFunction(queue, this.app.settings)) continue;
      // One poller keeps the order of a FIFO queue's groups simple; Lambda scales them by group.
      const own = this.app.settings.queues[queue] ?? { fifo: false };
      const pollers = own.fifo ? 1 : Math.min(POLLERS, workersOf(own) ?? POLLERS);
      for (let count = 0; count < pollers; count += 1)
        this.#run(workerOf(own.laneOf ?? queue), () =>
          pump.deliver(new SqsPoller(sqs, queue, url, { batchSize: batchSizeOf(own) }), worker, own.laneOf ?? queue),
        );
    }
    for (const url of this.#lostQueues) {
      this.#run(SWEEPER, () =>
        pump.deliver(new SqsPoller(sqs, LOST_QUEUE, url, { names }), (deliveries, invocation) =>
          this.app.consumeLost(deliveries, invocation),
        ),
      );
    }
    const { wakeQueue } = this.environment;
    if (wakeQueue !== undefined)
      this.#run(SWEEPER, () =>
        pump.deliver(new SqsPoller(sqs, WAKE_QUEUE, wakeQueue), (deliveries) => this.app.consumeWakeUps(deliveries)),
      );
    this.#run(SWEEPER, () => pump.sweep(everyMs));
    this.#run(RULES, () => pump.fire(this.rules));
  }

  #runProcess(queue: string): void {
    const { app, environment, clients } = this;
    const wrap = (ports: Ports): Partial<Ports> => wrapped(ports, this.#options);
    const parts = { app, environment, clients, wrap };
    this.#run(workerOf(queue), () => workOn(queue, parts, this.#stop.signal, this.#invocationSeconds));
  }

  #run(actor: string, work: () => Promise<void>): void {
    this.#work.push(actAs(actor, work));
  }
}
