/** Who is told of failures: a topic with its subscriptions, and what workers and the sweeper may do for it. */
import { type Duration, Reference, Stack, Token, Tokenization } from 'aws-cdk-lib';
import { Alias, type IKey } from 'aws-cdk-lib/aws-kms';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

import { kindOf, refuseUnknownKeys, shown } from '../lib/base/checks.ts';
import { ImproperlyConfigured, InvalidOption } from '../lib/base/errors.ts';
import {
  DEFAULT_NOTICE_WINDOW_SECONDS,
  MAX_NOTICE_WINDOW_SECONDS,
  MIN_NOTICE_WINDOW_SECONDS,
} from '../lib/base/limits.ts';
import { type AppManifest, type NotifyTold, processQueuesOf } from '../lib/options/manifest.ts';
import { durationSecondsOf } from './duration-prop.ts';
import { digestFailures, onKeys, type Rights, ROLL_NOTES, tellFailures } from './grants.ts';
import type { TaskTables } from './tables.ts';

/** Who is told of failures, and how often: `emails`, `topic` or both. */
export interface NotifyOptions {
  /** Subscribed to the topic: SNS asks each of them for a confirmation before it sends anything. @default - none */
  readonly emails?: readonly string[];
  /** A topic of your own, for chats, pagers and functions; no FIFO topic. @default - one that the service makes */
  readonly topic?: ITopic;
  /**
   * The first failure of a kind is told at once; what fails the same way within this time is counted and told in one mail.
   * Whole minutes, up to a day. @default Duration.minutes(15)
   */
  readonly window?: Duration;
  /** Address of the monitor, for links to tasks. @default - mails have no links */
  readonly monitorUrl?: string;
}

/** How often somebody is told, where processes send the mails. */
export type ProcessNotifyOptions = Pick<NotifyOptions, 'window' | 'monitorUrl'>;

const PROCESS_KEYS: ReadonlySet<string> = new Set<keyof ProcessNotifyOptions>(['window', 'monitorUrl']);
const KEYS: ReadonlySet<string> = new Set<keyof NotifyOptions>(['emails', 'topic', 'window', 'monitorUrl']);
// Neither spaces nor what separates or names addresses; SNS sends a confirmation there, which is the real check.
const ADDRESS = /^[^\s@<>(),;:"[\]\\]{1,64}@[^\s@<>(),;:"[\]\\]{1,255}$/;

/** @throws InvalidOption, ImproperlyConfigured */
export function validateNotify(options: NotifyOptions, app: AppManifest, service: Construct): void {
  const { emails, topic } = options;
  refuseUnknownKeys(options, KEYS, 'notify()');
  refuseTwice('notify()', service);
  if (emails !== undefined && (!Array.isArray(emails) || emails.length === 0))
    throw new InvalidOption(`notify(): emails: ${shown(emails)} given; a list of at least one address is allowed.`);
  if (emails === undefined && topic === undefined)
    throw new InvalidOption("notify(): nobody would be told. Give emails: ['ops@example.org'], or a topic.");
  for (const [index, email] of (emails ?? []).entries()) checkEmail(email, index, emails ?? []);
  // An ARN as text would fail behind the first of its rights, without a word about the field.
  if (
    topic !== undefined &&
    (typeof topic !== 'object' || topic === null || typeof topic.addSubscription !== 'function')
  )
    throw new InvalidOption(
      `notify(): topic: ${kindOf(topic)} given; a topic of aws-cdk-lib/aws-sns is allowed, such as Topic.fromTopicArn(this, 'Topic', arn).`,
    );
  if (topic?.fifo === true)
    throw new InvalidOption(
      'notify(): topic: a FIFO topic given, which takes no e-mail subscriptions. Use a standard one.',
    );
  checkHow('notify()', options, app, service);
}

/** @throws InvalidOption, ImproperlyConfigured */
export function validateProcessNotify(options: ProcessNotifyOptions, app: AppManifest, service: Construct): void {
  const call = 'notifyByProcesses()';
  refuseUnknownKeys(options, PROCESS_KEYS, call);
  refuseTwice(call, service);
  if (processQueuesOf(app).length === 0)
    throw new ImproperlyConfigured(
      `${call}: no queue of the app has a process for its worker, so nobody would send the mails. Declare one: queues: { slow: { worker: 'process' } }; or use notify({ emails: ['ops@example.org'] }).`,
    );
  checkHow(call, options, app, service);
}

function refuseTwice(call: string, service: Construct): void {
  if (service.node.tryFindChild('Notifications') !== undefined)
    throw new ImproperlyConfigured(
      `${call}: called twice for one service, or beside its sibling. Give all in one call, or subscribe to the topic that notify() returns.`,
    );
}

function checkHow(
  call: string,
  { window, monitorUrl }: ProcessNotifyOptions,
  app: AppManifest,
  service: Construct,
): void {
  if (app.history === 'off')
    throw new ImproperlyConfigured(
      `${call}: the app's history is 'off', and digests count what stands there. Set history: 'failures', which keeps nothing of what succeeds.`,
    );
  checkWindow(window, call);
  if (monitorUrl === undefined) return;
  if (Token.isUnresolved(monitorUrl)) return refuseOwnMonitor(monitorUrl, service, call);
  if (!URL.canParse(monitorUrl) || !/^https?:$/.test(new URL(monitorUrl).protocol))
    throw new InvalidOption(
      `${call}: monitorUrl: ${shown(monitorUrl)} given; an address as in 'https://tasks.example.org' is allowed.`,
    );
}

/** Its function may switch what feeds the workers, and so comes behind them. @throws InvalidOption */
function refuseOwnMonitor(monitorUrl: string, service: Construct, call: string): void {
  for (const token of Tokenization.reverseString(monitorUrl).tokens)
    if (Reference.isReference(token) && token.target.node.path.startsWith(`${service.node.path}/`))
      throw new InvalidOption(
        `${call}: monitorUrl: the address of this service's own monitor given, which CloudFormation makes behind the workers that would be told of it. Give it as text: that of a domain of your own, or what the stack's output says after the first deployment.`,
      );
}

function checkEmail(email: unknown, index: number, all: readonly string[]): void {
  if (typeof email === 'string' && Token.isUnresolved(email)) return;
  if (typeof email !== 'string' || !ADDRESS.test(email))
    throw new InvalidOption(
      `notify(): emails[${index}]: ${shown(email)} given; one address as in 'ops@example.org' is allowed.`,
    );
  if (all.indexOf(email) !== index)
    throw new InvalidOption(`notify(): emails[${index}]: ${shown(email)} stands there twice. Leave one of them out.`);
}

function checkWindow(window: Duration | undefined, call: string): void {
  if (window === undefined) return;
  const seconds = durationSecondsOf(window, `${call}: window`);
  if (seconds >= MIN_NOTICE_WINDOW_SECONDS && seconds <= MAX_NOTICE_WINDOW_SECONDS && seconds % 60 === 0) return;
  throw new InvalidOption(
    `${call}: window: ${window.toHumanString()} given; whole minutes from one minute to one day are allowed.`,
  );
}

export interface TaskNotificationsProps extends NotifyOptions {
  readonly tables: TaskTables;
  /** Of the service: encrypts a topic that is made here. @default - SNS's own key in the account */
  readonly encryptionKey?: IKey | undefined;
}

export class TaskNotifications extends Construct {
  readonly topic: ITopic;
  /** What functions are told of it. */
  readonly told: NotifyTold;
  readonly #tables: TaskTables;

  constructor(scope: Construct, id: string, props: TaskNotificationsProps) {
    super(scope, id);
    const { emails = [], window, monitorUrl } = props;
    this.#tables = props.tables;
    this.topic = props.topic ?? this.#newTopic(props.encryptionKey);
    for (const email of emails) this.topic.addSubscription(new EmailSubscription(email));
    this.told = { topic: this.topic.topicArn, ...howTold({ window, monitorUrl }) };
  }

  /** Of whoever runs tasks. */
  get workerRights(): Rights[] {
    return [tellFailures(this.#tables.state), ...this.#publishing];
  }

  get sweeperRights(): Rights[] {
    return [digestFailures(this.#tables.state), ...this.#publishing];
  }

  get #publishing(): Rights[] {
    const { topicArn, masterKey } = this.topic;
    const publish: Rights = { actions: ['sns:Publish'], resourceArns: [topicArn] };
    // The policy of SNS's own key lets everybody use it who may publish.
    if (masterKey === undefined || masterKey === this.#ownKey) return [publish];
    const { region } = Stack.of(this);
    return [
      publish,
      {
        // Source: SNS developer guide, key management: publishers ask for a data key.
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resourceArns: [masterKey.keyArn],
        conditions: { StringEquals: { 'kms:ViaService': `sns.${region}.amazonaws.com` } },
      },
    ];
  }

  #ownKey: IKey | undefined;

  #newTopic(encryptionKey: IKey | undefined): Topic {
    if (encryptionKey === undefined) this.#ownKey = Alias.fromAliasName(this, 'Key', 'alias/aws/sns');
    const masterKey = encryptionKey ?? this.#ownKey;
    return new Topic(this, 'Topic', { enforceSSL: true, ...(masterKey === undefined ? {} : { masterKey }) });
  }
}

export interface ProcessNotificationsProps extends ProcessNotifyOptions {
  readonly tables: TaskTables;
}

/** Processes send the mails: nothing is made, and they may do what the sweeper does where there is a topic. */
export class ProcessNotifications extends Construct {
  /** What functions and processes are told of it. */
  readonly told: NotifyTold;
  readonly workerRights: Rights[];
  readonly sweeperRights: Rights[];
  readonly processRights: Rights[];

  constructor(scope: Construct, id: string, { tables, ...how }: ProcessNotificationsProps) {
    super(scope, id);
    this.told = howTold(how);
    this.workerRights = [tellFailures(tables.state)];
    this.sweeperRights = [digestFailures(tables.state)];
    // Minutes that the sweeper has counted, and how far it is.
    this.processRights = [digestFailures(tables.state), onKeys(tables.state, [ROLL_NOTES], ['Query'])];
  }
}

function howTold({ window, monitorUrl }: ProcessNotifyOptions): Omit<NotifyTold, 'topic'> {
  return {
    window: durationSecondsOf(window, 'window') ?? DEFAULT_NOTICE_WINDOW_SECONDS,
    ...(monitorUrl === undefined ? {} : { monitor: monitorUrl }),
  };
}
