/** A service in which every function and every caller does all that it may, each under its own role. */
import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  ChangeMessageVisibilityCommand,
  DynamoDBClient,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '#aws-sdk';
import { chain, chord, every, group } from 'celeriac';
import { connect, queueAddresses } from '../../../lib/aws/connect.ts';
import { EventBridgeRules } from '../../../lib/aws/eventbridge-rules.ts';
import { S3Blobs } from '../../../lib/aws/s3-blobs.ts';
import { SqsPeeks } from '../../../lib/aws/sqs-peeks.ts';
import { SqsDepths } from '../../../lib/aws/sqs-depths.ts';
import { SqsPoller } from '../../../lib/aws/poller.ts';
import { derivedId } from '../../../lib/base/ids.ts';
import { systemClock, systemRandom } from '../../../lib/base/time.ts';
import { OPERATOR, RULES, SWEEPER, workerOf } from '../../../lib/local/actors.ts';
import { pauseQueue, resumeQueue } from '../../../lib/operate/pause.ts';
import { waitingLines } from '../../../lib/operate/waiting-lines.ts';
import { scheduledTasks } from '../../../lib/operate/scheduled.ts';
import type { EventSources, EventSourceState } from '../../../lib/ports/event-sources.ts';
import type { Environment } from '../../../lib/options/manifest.ts';
import type { Notifying } from '../../../lib/ports/notices.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import { slotsKey, taskLockKey } from '../../../lib/ports/slot-keys.ts';
import { WAKE_QUEUE } from '../../../lib/ports/wake-up.ts';
import { fillTemplate } from '../../../lib/schedules/eventbridge.ts';
import { LOST_QUEUE } from '../../../lib/ports/delivery.ts';
import { type Servers, startServers } from '../servers.ts';
import { rightsAsked } from './asked.ts';
import { askedCodec } from './asked-codec.ts';
import { addMiddleware, deliverAll, type Source } from './deliver.ts';
import { declare, type Program } from './program.ts';
import { rolesOf, type ServiceRoles } from './roles.ts';
import { sourcesUnder } from './sources.ts';
import { PATIENCE_SECONDS } from '../patience.ts';

const HOUR_MS = 3_600_000;
export const WORKER = workerOf('default');

export interface Actor extends Program {
  readonly sqs: SQSClient;
  readonly dynamodb: DynamoDBClient;
}

/** @param secret whether everything is encrypted */
export function scenarioRoles(large = false, secret = false): ServiceRoles {
  const codec = secret ? askedCodec({ ask: () => ({ allowed: true, by: [] }) }, 'nobody') : undefined;
  return rolesOf(
    declare(large, undefined, codec).app,
    {
      enqueue: (service, grantee) => void service.grantEnqueue(grantee),
      outbox: (service, grantee) => void service.grantOutbox(grantee),
      results: (service, grantee) => void service.grantResults(grantee),
      manage: (service, grantee) => void service.grantManage(grantee),
      schedules: (service, grantee) => void service.grantSchedules(grantee),
      locks: (service, grantee) => void service.grantLocks(grantee),
      history: (service, grantee) => void service.grantHistory(grantee),
      explain: (service, grantee) => void service.grantExplain(grantee),
      letters: (service, grantee) => void service.grantDeadLetters(grantee),
      pause: (service, grantee) => void service.grantPause(grantee),
      operate: (service, grantee) => void service.grantOperate(grantee),
    },
    true,
  );
}

export class Scenario {
  readonly environment: Environment;
  readonly #roles: ServiceRoles;
  readonly #servers: Servers;
  readonly #actors = new Map<string, Actor>();
  #aheadMs = 0;
  // What EventBridge says of the rule.
  #ruleState = 'ENABLED';
  #sendsFail = false;
  #lost: readonly string[] = [];

  /** @param large whether arguments and results may be large */
  static async start(roles: ServiceRoles, large = false): Promise<Scenario> {
    const servers = await startServers(undefined, roles.gate.authorize);
    return new Scenario(roles, servers, await servers.provision(declare(large).app));
  }

  private constructor(roles: ServiceRoles, servers: Servers, environment: Environment) {
    this.#roles = roles;
    this.#servers = servers;
    this.environment = environment;
  }

  readonly stop = (): Promise<unknown> => this.#servers.stop();

  /** The app as it runs under the role that has this access key. */
  as(key: string): Actor {
    const actor = this.#actors.get(key) ?? this.#newActor(key);
    this.#actors.set(key, actor);
    return actor;
  }

  #newActor(key: string): Actor {
    // What they write into records is small: they store nearly all of it.
    const storeAboveBytes = [SWEEPER, 'letters'].includes(key) ? 1024 : undefined;
    const codec = this.#roles.service.manifest.codec === true ? askedCodec(this.#roles.gate, key) : undefined;
    const program = declare(this.environment.payloadBucket !== undefined, storeAboveBytes, codec);
    const { endpoints } = this.#servers;
    const common = { region: 'us-east-1', credentials: { accessKeyId: key, secretAccessKey: 'local' } };
    const sqs = new SQSClient({ ...common, endpoint: endpoints.sqs });
    const dynamodb = new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb });
    const blobs = this.#blobsOf(key);
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + this.#aheadMs };
    const { deadLetterQueues, ...others } = this.environment;
    // Other callers are told of no dead-letter queue.
    const isTold = [WORKER, SWEEPER, 'letters'].includes(key);
    const known = { ...others, deadLetterQueues: isTold ? deadLetterQueues : {} };
    if (key === SWEEPER)
      addMiddleware(
        sqs,
        (next, { commandName }) =>
          (args) =>
            this.#sending(commandName, () => next(args)),
      );
    const events = new EventBridgeClient(common);
    addMiddleware(
      events,
      (_next, { commandName = '' }) =>
        (args) =>
          this.#ofRule(key, commandName, args.input),
    );
    const { notify, ...connected } = connect(
      { ...known, notify: { window: 900 } },
      { clock, random: systemRandom },
      { sqs, dynamodb, blobs },
    );
    program.app.use({
      ...connected,
      // Senders are told of no topic.
      ...([WORKER, SWEEPER].includes(key) ? { notify: () => this.#notifying(key, notify) } : {}),
      rules: new EventBridgeRules(this.#roles.service.rules.prefix, events),
      ...(key === 'explain'
        ? { depths: new SqsDepths({ client: sqs, queues: queueAddresses(known.queues, {}) }) }
        : {}),
      clock,
    });
    return { ...program, sqs, dynamodb };
  }

  /** As functions tell failures, with SNS's part left out. */
  async #notifying(key: string, notify: Ports['notify']): Promise<Notifying> {
    if (notify === undefined) throw new Error('nobody is told');
    const send = (): Promise<void> => {
      const asked = {
        action: 'sns:Publish',
        resource: this.#roles.topicArn,
        context: { 'aws:SecureTransport': ['true'] },
      };
      return this.#roles.gate.ask(key, asked).allowed ? Promise.resolve() : Promise.reject(new Error('denied'));
    };
    return { ...(await notify()), notifier: { send } };
  }

  async #sending(commandName: string | undefined, send: () => Promise<unknown>): Promise<unknown> {
    if (this.#sendsFail && commandName?.startsWith('Send') === true)
      throw Object.assign(new Error('SQS has a bad moment'), {
        name: 'ServiceUnavailable',
        $metadata: { httpStatusCode: 503 },
      });
    return send();
  }

  #ofRule(key: string, commandName: string, input: object): Promise<unknown> {
    const target = `AWSEvents.${commandName.replace(/Command$/, '')}`;
    for (const asked of rightsAsked(target, input as Record<string, unknown>)) this.#roles.gate.ask(key, asked);
    return Promise.resolve({ output: { $metadata: {}, State: this.#ruleState }, response: {} });
  }

  /** Runs what lies in the queues. */
  deliver(): Promise<void> {
    return this.#deliver();
  }

  /** What is stored of a task is gone, as when its time is over. */
  async losePayloads(id: string): Promise<void> {
    const { gate } = this.#roles;
    const own = `/${derivedId(`payload:${id}`)}/`;
    const stored = gate.recorded.filter(({ action, resource }) => action === 's3:PutObject' && resource.includes(own));
    if (stored.length === 0) throw new Error(`nothing is stored of ${id}`);
    const keys = stored.map(({ resource }) => resource.slice(resource.indexOf('/') + 1));
    await this.#blobsOf(OPERATOR)?.delete(keys);
  }

  #blobsOf(accessKeyId: string): S3Blobs | undefined {
    const { payloadBucket: bucket } = this.environment;
    const credentials = (): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> =>
      Promise.resolve({ accessKeyId, secretAccessKey: 'local' });
    const common = { region: 'us-east-1', endpoint: this.#servers.endpoints.s3, credentials };
    return bucket === undefined ? undefined : new S3Blobs({ ...common, bucket });
  }

  #url(queue: string): string {
    return this.environment.queues[queue] ?? '';
  }

  #lostUrl(fifo = false): string {
    return this.#url('default').replace(/default$/, fifo ? 'lost.fifo' : 'lost');
  }

  async live(): Promise<void> {
    await this.#enqueueing('enqueue');
    await this.#enqueueing('schedules');
    await this.#committing();
    await this.#reading();
    await this.#scheduling();
    await this.#locking();
    await this.#redriving();
    await this.#pausing();
    await this.#explaining();
    await this.#firing();
    await this.#losing();
    await this.#deliver();
    await this.#waitingInPlace();
    await this.#failedWakeUp();
    for (const [hours, state] of [
      [1, 'ENABLED'],
      [2, 'DISABLED'],
      [3, 'DISABLED'],
    ] as const) {
      this.#ruleState = state;
      await this.sweep(hours);
    }
    await this.as('schedules').app.schedules.enable('ruled');
    await this.sweep(4);
    await this.sweep(49);
    // Their results have expired meanwhile.
    await this.lose(this.#lost);
    const { schedules } = this.as('schedules').app;
    for (const { name, firedBy } of await schedules.list())
      if (firedBy === 'sweep' && name !== 'mine') await schedules.disable(name);
    // Of a single entry that moves on.
    await this.sweep(50);
    await this.#lookingBack();
  }

  async #enqueueing(who: string): Promise<void> {
    const {
      app,
      add: sumOf,
      sum,
      fail,
      again,
      refuse,
      requeue,
      progress,
      sender,
      remote,
      limited,
      single,
      alone,
      only,
      begun,
      late,
    } = this.as(who);
    await sumOf.applyAsync([1, 2], { queue: 'orders' });
    await sumOf.applyAsync([1, 2], { queue: 'orders', countdown: 1 });
    await remote.applyAsync([1], { countdown: 2000 });
    await app.sendMany([limited.s(), limited.s()]);
    await app.sendMany([single.s(), single.s(), single.s(), alone.s(), alone.s()]);
    // Alone and with others, free and taken.
    const own = (name: string): string => `${name} of ${who}`;
    for (const name of ['one', 'one'].map(own)) await only.delay(name);
    for (const names of ['two', 'three'].map(own).map((name) => [only.s(name), only.s(`${name} more`)]))
      for (let times = 0; times < 2; times += 1) await app.sendMany(names);
    await begun.delay();
    const debounce = { key: who, wait: 1 };
    for (const text of ['first', 'last']) await late.applyAsync([text], { debounce });
    const signatures = [sumOf.s(1, 2), sumOf.s(3, 4), fail.s(), refuse.s(), requeue.s(), progress.s(), sender.s()];
    await app.sendMany([...signatures, again.s()]);
    // By a sender that does not know the tasks' names.
    app.taskNames = () => undefined;
    await app.send('unknown.task');
    await sumOf.applyAsync([1, 2], { countdown: 2000 });
    await chain(sumOf.s(1, 1), group([sumOf.s(1), sumOf.s(2)]), sum.s()).delay();
    await chord(
      Array.from({ length: 150 }, (_, index) => sumOf.s(index, 0)),
      sum.s(),
    ).delay();
    await chord([sumOf.s(1, 1), fail.s()], sum.s().linkError(sumOf.si(1, 1))).delay();
    await chord([sumOf.s(1, 1), sumOf.s(2, 2)], sum.s()).applyAsync([], { countdown: 2000 });
    // Their members are stored and counted where Celery looks.
    await chord([remote.s(1), sumOf.s(1, 1)], sum.s()).delay();
    await (await group([sumOf.s(1, 1), remote.s(2)]).delay()).save();
  }

  async #committing(): Promise<void> {
    const { add: sumOf, dynamodb } = this.as('outbox');
    for (const countdown of [0, 2000]) {
      const item = await sumOf.s(1, 2).toTransactItem([], { countdown });
      await dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [item] }));
    }
  }

  /** What one caller has sent, others read, revoke and forget. */
  async #reading(): Promise<void> {
    const { add: sumOf } = this.as('enqueue');
    const members = await group([sumOf.s(1, 1), sumOf.s(2, 2)]).delay();
    await members.save();
    const [done, waiting] = [await sumOf.delay(1, 2), await sumOf.delay(1, 2)];
    const manage = this.as('manage').app;
    await manage.result(waiting.id).revoke();
    await this.#deliver();
    const { app } = this.as('results');
    const read = await app.groupResult(members.id);
    if (JSON.stringify(await read?.join({ timeout: PATIENCE_SECONDS })) !== '[2,4]')
      throw new Error('the group has another result');
    await read?.completedCount();
    if ((await app.result(done.id).get({ timeout: PATIENCE_SECONDS })) !== 3)
      throw new Error('the task has another result');
    // It has ended: the answer says how.
    for (const task of ['single', 'line']) await manage.control.slots(task);
    const { slots: listed } = await manage.ports();
    if (listed !== undefined) await waitingLines(listed, { nowMs: systemClock.nowMs() });
    await manage.result(done.id).revoke();
    await manage.control.rateLimit('limited', '2/m');
    await manage.control.rateLimit('limited');
    await manage.result(done.id).forget();
    const own = await manage.groupResult(members.id);
    await own?.revoke();
    await own?.forget();
  }

  async #scheduling(): Promise<void> {
    const { app, add: sumOf } = this.as('schedules');
    const entry = { task: sumOf.s(1, 2), schedule: every('30s') };
    await app.schedules.put('mine', entry);
    await app.schedules.update('mine', { schedule: every('45s') });
    await app.schedules.list();
    await app.schedules.runNow('mine');
    await app.schedules.disable('ruled');
    await app.schedules.enable('ruled');
    await app.schedules.disable('ruled');
    for (const schedule of [every('30s'), every('50s')])
      await app.schedules.load({ loaded: { ...entry, schedule }, too: { ...entry, schedule } }, { mode: 'always' });
    await app.schedules.put('other', entry);
    await app.schedules.put('ordered now', { ...entry, options: { queue: 'orders' } });
    await app.schedules.delete('other');
  }

  /** What ended is rolled up, some of it late, and read. */
  async #lookingBack(): Promise<void> {
    // Found a while after its task was revoked.
    const late = await this.as('enqueue').add.delay(1, 2);
    await this.as('manage').app.result(late.id).revoke();
    await this.as(SWEEPER).app.sweep();
    this.#aheadMs += 600_000;
    await this.as(SWEEPER).app.sweep();
    await this.#deliver();
    await this.as(SWEEPER).app.sweep();
    const { app } = this.as('history');
    const { entries } = await app.history.list({ from: '7d' });
    const [newest] = entries;
    if (newest === undefined) throw new Error('the history is empty');
    if ((await app.history.task(newest.id)) === undefined) throw new Error('a task has no story');
    if ((await app.stats({ from: '7d', every: 'day' })).total.count === 0) throw new Error('nothing was counted');
  }

  async #locking(): Promise<void> {
    const { app } = this.as('locks');
    const lock = await app.locks.acquire('mine');
    await lock?.renew();
    if ((await app.locks.list()).length !== 1) throw new Error('the lock is not held');
    await lock?.release();
    await app.locks.free('mine');
  }

  /** With a chain behind it; the records of some have expired, and some are thrown away. */
  async #redriving(): Promise<void> {
    const { refuse, add: sumOf } = this.as('enqueue');
    await chain(refuse.s(), sumOf.si(1, 1), sumOf.si(2, 2)).delay();
    await this.#deliver();
    const { deadLetters } = this.as('letters').app;
    const { counts } = await deadLetters.list();
    if (counts['orders'] === undefined) throw new Error('the letters of a queue are not counted');
    const { sent, failures } = await deadLetters.redrive({ task: 'refuse' });
    if (sent < 2 || failures.length > 0) throw new Error(`letters were not redriven: ${JSON.stringify(failures)}`);
    await this.#deliver();
    const aheadMs = this.#aheadMs;
    this.#aheadMs += 40 * 24 * HOUR_MS;
    await deadLetters.redrive({ task: 'refuse', queue: 'default' });
    this.#aheadMs = aheadMs;
    await deadLetters.drop({ task: 'refuse' });
  }

  /** The sweeper finds what feeds a paused queue switched on; the operator lists what waits, counts, and resumes. */
  async #pausing(): Promise<void> {
    const { gate, eventSources } = this.#roles;
    const states = new Map(Object.values(eventSources).map((id): [string, EventSourceState] => [id, 'on']));
    const under = (actor: string): EventSources => sourcesUnder(gate, actor, eventSources, states);
    const { app, sqs } = this.as('pause');
    const { pauses } = await app.ports();
    if (pauses === undefined) throw new Error('there are no pauses');
    const { environment } = this;
    const parts = { environment, pauses, clock: systemClock, sources: under('pause') };
    for (const queue of Object.keys(eventSources)) {
      for (const by of ['ada', 'bob']) await pauseQueue(queue, { by }, parts);
      await pauses.list();
    }
    const queues = queueAddresses(environment.queues, environment.deadLetterQueues);
    const asked = Object.keys(queues).flatMap((queue) => [{ queue }, { queue, deadLetter: true }]);
    await new SqsDepths({ client: sqs, queues }).count(asked);
    gate.ask('pause', { action: 'cloudwatch:GetMetricStatistics', resource: '*', context: {} });
    for (const id of states.keys()) states.set(id, 'on');
    await this.as(SWEEPER).app.sweep({ eventSources: under(SWEEPER) });
    if ([...states.values()].includes('on')) throw new Error('the sweeper left an event source on');
    for (const queue of Object.keys(eventSources)) await resumeQueue(queue, parts);
    const operator = await this.as('operate').app.ports();
    await scheduledTasks(operator.timers, { shards: environment.timerShards, limit: 5 });
    // What it empties would be missed by the rest.
    for (const QueueUrl of Object.values(environment.queues))
      for (const right of rightsAsked('AmazonSQS.PurgeQueue', { QueueUrl })) gate.ask('operate', right);
    const { sqs: client } = this.as('operate');
    const peeks = new SqsPeeks({ client, queues });
    for (const [queue, { fifo }] of Object.entries(queues)) if (!fifo) await peeks.peek({ queue, limit: 1 });
  }

  /** What nobody knows, what is debounced perhaps, and what waits for slots of either kind. */
  async #explaining(): Promise<void> {
    const { slots } = await this.as(WORKER).app.ports();
    const { app } = this.as('explain');
    await app.explain('nobody', { task: 'late' });
    for (const key of [slotsKey('single#'), taskLockKey('alone#')]) {
      const wake = { kind: 'show', queue: 'default', receipt: 'none' } as const;
      const waits = { sinceMs: 1, holder: 'waits#0', token: 'none', wake, grants: 0 };
      await slots?.park(key, [waits]);
      const { reasons } = await app.explain('waits');
      if (reasons[0]?.kind !== 'slot') throw new Error(`it waits for a slot, and not ${reasons[0]?.kind}`);
      await slots?.unpark(key, waits);
    }
  }

  /** A rule sends its message to the queue itself. */
  async #firing(): Promise<void> {
    const { app, sqs } = this.as(RULES);
    const { beat, codec } = app.manifest();
    // Rules hold no secrets: entries with arguments are swept.
    if (codec === true) return;
    const template = beat.find(({ firedBy }) => firedBy === 'rule')?.template ?? '';
    const MessageBody = fillTemplate(template, systemClock.nowMs());
    await sqs.send(new SendMessageCommand({ QueueUrl: this.#url('default'), MessageBody }));
    await this.#deliver();
  }

  /** What came to the lost queues: an ordinary task, a member of a chord, what nobody can read, and of every queue one. */
  async #losing(): Promise<void> {
    const { add: sumOf, sum, remote } = this.as('enqueue');
    await chord([sumOf.s(1, 1), sumOf.s(2, 2)], sum.s()).delay();
    await sumOf.delay(1, 2);
    await remote.delay(1);
    const bodies = await this.taken('default');
    await this.lose([...bodies, ...(await this.taken('celery')), 'no message']);
    // They have ended by now, which is read.
    await this.lose(bodies);
    for (const [index, MessageBody] of (await this.taken('orders')).entries()) {
      const ids = { MessageGroupId: 'g', MessageDeduplicationId: String(index) };
      await this.#servers.sqs.send(new SendMessageCommand({ QueueUrl: this.#lostUrl(true), MessageBody, ...ids }));
    }
  }

  /** Sends messages to the queue as they are, and runs them. */
  async give(bodies: readonly string[]): Promise<void> {
    for (const MessageBody of bodies)
      await this.#servers.sqs.send(new SendMessageCommand({ QueueUrl: this.#url('default'), MessageBody }));
    await this.#deliver();
  }

  /** As SQS gives to the lost queue what a worker could not take. */
  async lose(bodies: readonly string[]): Promise<void> {
    for (const MessageBody of bodies)
      await this.#servers.sqs.send(new SendMessageCommand({ QueueUrl: this.#lostUrl(), MessageBody }));
    await this.#deliver();
    this.#lost = bodies;
  }

  /** Bodies of messages, taken from a queue. */
  async taken(queue: string): Promise<string[]> {
    const poller = new SqsPoller(this.#servers.sqs, queue, this.#url(queue));
    const deliveries = await poller.receive(0, new AbortController().signal);
    await poller.delete(deliveries.map(({ receipt }) => receipt));
    return deliveries.map(({ body }) => body);
  }

  /** A task that waits for its slot where it is: with its slot in its header it would be too large, as plain JSON it is not. */
  async #waitingInPlace(): Promise<void> {
    const body = JSON.stringify([['x'.repeat(900_000)], {}, {}]);
    const headers = { task: 'limited', id: 'waits-in-place' };
    const properties = { delivery_info: { exchange: '', routing_key: 'default' } };
    const MessageBody = JSON.stringify({
      body,
      'content-encoding': 'utf-8',
      'content-type': 'application/json',
      headers,
      properties,
    });
    const { sqs } = this.#servers;
    const QueueUrl = this.#url('default');
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    // Somebody had it before, and gave it back.
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    for (const { ReceiptHandle } of Messages ?? [])
      await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    await this.#deliver();
  }

  /** A wake-up whose timers cannot be sent, and one whose can. */
  async #failedWakeUp(): Promise<void> {
    await this.as('enqueue').add.applyAsync([1, 2], { queue: 'orders', countdown: 1 });
    this.#aheadMs += 2000;
    for (const fails of [true, false]) {
      const due = systemClock.nowMs() + this.#aheadMs;
      const MessageBody = JSON.stringify({ due, shards: [0, 1, 2, 3] });
      await this.#servers.sqs.send(new SendMessageCommand({ QueueUrl: this.environment.wakeQueue, MessageBody }));
      this.#sendsFail = fails;
      await this.#deliver([this.#sources()[3]]);
    }
  }

  #sources(): [Source, ...Source[]] {
    const [worker, sweeper] = [this.as(WORKER), this.as(SWEEPER)];
    // SQS tells of what it moved there by itself where it came from.
    const lost = (url: string, from: { readonly lostFrom?: string }): Source => ({
      poller: new SqsPoller(sweeper.sqs, LOST_QUEUE, url),
      consume: (deliveries, invocation) =>
        sweeper.app.consumeLost(
          deliveries.map((delivery) => ({ ...delivery, ...from })),
          invocation,
        ),
    });
    return [
      {
        poller: new SqsPoller(worker.sqs, 'default', this.#url('default')),
        consume: (deliveries, invocation) => worker.app.consume(deliveries, invocation),
      },
      lost(this.#lostUrl(), {}),
      lost(this.#lostUrl(true), { lostFrom: 'orders' }),
      {
        poller: new SqsPoller(sweeper.sqs, WAKE_QUEUE, this.environment.wakeQueue ?? ''),
        consume: (deliveries) => sweeper.app.consumeWakeUps(deliveries),
      },
    ];
  }

  #deliver(sources: readonly (Source | undefined)[] = this.#sources()): Promise<void> {
    return deliverAll(sources, () => systemClock.nowMs() + this.#aheadMs);
  }

  /** What is due by then is sent, and runs. */
  async sweep(aheadHours: number): Promise<void> {
    this.#aheadMs = aheadHours * HOUR_MS;
    await this.as(SWEEPER).app.sweep();
    await this.#deliver();
  }
}
