/** Who is told of failures: a topic with its subscriptions, and what workers and the sweeper may do for it. */
import { type Duration, Reference, Stack, Token, Tokenization } from 'aws-cdk-lib';
import { Alias, type IKey } from 'aws-cdk-lib/aws-kms';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

import { refuseUnknownKeys, shown } from '../lib/base/checks.ts';
import { ImproperlyConfigured, InvalidOption } from '../lib/base/errors.ts';
import {
  DEFAULT_NOTICE_WINDOW_SECONDS,
  MAX_NOTICE_WINDOW_SECONDS,
  MIN_NOTICE_WINDOW_SECONDS,
} from '../lib/base/limits.ts';
import type { AppManifest, NotifyTold } from '../lib/options/manifest.ts';
import { digestFailures, type Rights, tellFailures } from './grants.ts';
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

const KEYS: ReadonlySet<string> = new Set<keyof NotifyOptions>(['emails', 'topic', 'window', 'monitorUrl']);
// Neither spaces nor what separates or names addresses; SNS sends a confirmation there, which is the real check.
const ADDRESS = /^[^\s@<>(),;:"[\]\\]{1,64}@[^\s@<>(),;:"[\]\\]{1,255}$/;

/** @throws InvalidOption, ImproperlyConfigured */
export function validateNotify(options: NotifyOptions, app: AppManifest, service: Construct): void {
  const { emails, topic, window, monitorUrl } = options;
  refuseUnknownKeys(options, KEYS, 'notify()');
  if (service.node.tryFindChild('Notifications') !== undefined)
    throw new ImproperlyConfigured(
      'notify(): called twice for one service. Give all in one call, or subscribe to the topic that it returns.',
    );
  if (app.history === 'off')
    throw new ImproperlyConfigured(
      "notify(): the app's history is 'off', and digests count what stands there. Set history: 'failures', which keeps nothing of what succeeds.",
    );
  if (emails !== undefined && (!Array.isArray(emails) || emails.length === 0))
    throw new InvalidOption(`notify(): emails: ${shown(emails)} given; a list of at least one address is allowed.`);
  if (emails === undefined && topic === undefined)
    throw new InvalidOption("notify(): nobody would be told. Give emails: ['ops@example.org'], or a topic.");
  for (const [index, email] of (emails ?? []).entries()) checkEmail(email, index, emails ?? []);
  if (topic?.fifo === true)
    throw new InvalidOption(
      'notify(): topic: a FIFO topic given, which takes no e-mail subscriptions. Use a standard one.',
    );
  checkWindow(window);
  if (monitorUrl === undefined) return;
  if (Token.isUnresolved(monitorUrl)) return refuseOwnMonitor(monitorUrl, service);
  if (!URL.canParse(monitorUrl) || !/^https?:$/.test(new URL(monitorUrl).protocol))
    throw new InvalidOption(
      `notify(): monitorUrl: ${shown(monitorUrl)} given; an address as in 'https://tasks.example.org' is allowed.`,
    );
}

/** Its function may switch what feeds the workers, and so comes behind them. @throws InvalidOption */
function refuseOwnMonitor(monitorUrl: string, service: Construct): void {
  for (const token of Tokenization.reverseString(monitorUrl).tokens)
    if (Reference.isReference(token) && token.target.node.path.startsWith(`${service.node.path}/`))
      throw new InvalidOption(
        "notify(): monitorUrl: the address of this service's own monitor given, which CloudFormation makes behind the workers that would be told of it. Give it as text: that of a domain of your own, or what the stack's output says after the first deployment.",
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

function checkWindow(window: Duration | undefined): void {
  if (window === undefined) return;
  // Not toSeconds() by itself: milliseconds that are no whole seconds are an error of CDK's, without a field.
  const seconds = window.toMilliseconds({ integral: false }) / 1000;
  if (seconds >= MIN_NOTICE_WINDOW_SECONDS && seconds <= MAX_NOTICE_WINDOW_SECONDS && seconds % 60 === 0) return;
  throw new InvalidOption(
    `notify(): window: ${window.toHumanString()} given; whole minutes from one minute to one day are allowed.`,
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
    this.told = {
      topic: this.topic.topicArn,
      window: window?.toSeconds() ?? DEFAULT_NOTICE_WINDOW_SECONDS,
      ...(monitorUrl === undefined ? {} : { monitor: monitorUrl }),
    };
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
