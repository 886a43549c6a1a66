/** What a service lets others do with it, whether it is made in this stack or elsewhere. */
import { type Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';

import type { EncryptionKeys } from './encryption.ts';
import type { ServiceEnvironment } from './environment.ts';
import type { KeyUse, PayloadKeys } from './payload-keys.ts';
import { onPayloads } from './payloads.ts';
import {
  countIn,
  defineGroups,
  grantAll,
  manageResults,
  onKeys,
  readSlots,
  putTimers,
  readHistory,
  readResults,
  revokeTicks,
  type Rights,
  sendTo,
  readWaits,
  switchRules,
  takeMarks,
  TASKS,
  type Tables,
  workOnDeadLetters,
  workOnLocks,
  workOnSchedules,
} from './grants.ts';

/** A service of this stack, of another, or of another repository. */
export interface ITaskService extends IConstruct {
  /** The app's name. */
  readonly appName: string;
  /** A queue by Celery's name. @throws QueueNotFound */
  queue(name: string): IQueue;
  /** Lets somebody enqueue: send to every queue, at any time. See `TaskService`. */
  grantEnqueue(grantee: IGrantable): Grant;
  /** Lets somebody put messages of tasks into transactions of its own. See `TaskService`. */
  grantOutbox(grantee: IGrantable): Grant;
  /** Lets somebody read results, states and progress. See `TaskService`. */
  grantResults(grantee: IGrantable): Grant;
  /** Lets somebody revoke tasks, and forget results and groups. See `TaskService`. */
  grantManage(grantee: IGrantable): Grant;
  /** `grantEnqueue`, and to read and change schedule entries. See `TaskService`. */
  grantSchedules(grantee: IGrantable): Grant;
  /** Lets somebody use `app.locks`. See `TaskService`. */
  grantLocks(grantee: IGrantable): Grant;
  /** Lets somebody read what ended: `app.history` and `app.stats()`. See `TaskService`. */
  grantHistory(grantee: IGrantable): Grant;
  /** Lets somebody use `app.deadLetters`. See `TaskService`. @throws InvalidOption where no dead-letter queues are known */
  grantDeadLetters(grantee: IGrantable): Grant;
  /** What the grants write into the environment of a Lambda function, for whatever is none. */
  environment(): Record<string, string>;
}

export interface ServiceAccessProps {
  readonly environment: ServiceEnvironment;
  /** Where a sender sends to, the wake-up queue among them. */
  readonly targets: readonly IQueue[];
  readonly tables: Tables;
  /** Of the service's rules, or a pattern of theirs; empty where it has none. */
  readonly ruleArns: readonly string[];
  /** Keys of those queues and tables. */
  readonly keys: EncryptionKeys;
  /** Of the app's codec. */
  readonly payloadKeys: PayloadKeys;
  /** Whether chords may have members in Python. */
  readonly counted: boolean;
}

/** A queue and its lanes, and where their dead letters are. */
export interface LetterQueues {
  readonly own: readonly IQueue[];
  readonly deadLetterQueue: IQueue;
}

/** The grants: rights for whoever takes a policy, and the environment for Lambda functions. */
export class ServiceAccess {
  readonly #props: ServiceAccessProps;

  constructor(props: ServiceAccessProps) {
    this.#props = props;
  }

  enqueue(grantee: IGrantable): Grant {
    const { targets, tables, counted, environment } = this.#props;
    const rights = [
      sendTo(targets),
      putTimers(tables.state),
      ...defineGroups(tables, { counted }),
      ...(environment.marked ? takeMarks(tables) : []),
      ...onPayloads(tables, ['messages'], ['put']),
    ];
    // What is debounced by somebody else is read.
    return this.#grant(grantee, rights, environment.marked ? ['encrypt', 'decrypt'] : ['encrypt']);
  }

  outbox(grantee: IGrantable): Grant {
    const { tables } = this.#props;
    // What a transaction's Put asks for.
    const rights = [putTimers(tables.state, 'PutItem'), ...onPayloads(tables, ['messages'], ['put'])];
    return this.#grant(grantee, rights, ['encrypt']);
  }

  results(grantee: IGrantable): Grant {
    const { tables } = this.#props;
    return this.#grant(grantee, [...readResults(tables), ...onPayloads(tables, ['results'], ['get'])], ['decrypt']);
  }

  manage(grantee: IGrantable): Grant {
    const { tables } = this.#props;
    const rights = [
      ...manageResults(tables),
      ...readSlots(tables.state),
      // What a result has stored is told by its record.
      ...(tables.payloads === undefined ? [] : [onKeys(tables.results, [TASKS], ['BatchGetItem'])]),
      ...onPayloads(tables, ['results'], ['delete']),
    ];
    return this.#grant(grantee, rights, ['encrypt', 'decrypt']);
  }

  locks(grantee: IGrantable): Grant {
    return this.#grant(grantee, [workOnLocks(this.#props.tables.state)]);
  }

  history(grantee: IGrantable): Grant {
    const { tables } = this.#props;
    return this.#grant(grantee, [...readHistory(tables), ...onPayloads(tables, ['results'], ['get'])], ['decrypt']);
  }

  /** @param queues and lanes that are counted */
  explain(grantee: IGrantable, queues: readonly IQueue[]): Grant {
    const { tables } = this.#props;
    const rights = [...readWaits(tables), ...onPayloads(tables, ['results'], ['get']), countIn(queues)];
    return this.#grant(grantee, rights, ['decrypt']);
  }

  schedules(grantee: IGrantable): Grant {
    const { environment, tables, ruleArns } = this.#props;
    if (grantee instanceof LambdaFn) environment.addTo(grantee, { rules: true });
    const rights = [
      revokeTicks(tables.results, { reads: !environment.marked }),
      ...workOnSchedules(tables.state),
      ...switchRules(ruleArns),
    ];
    // With marks it may decrypt already.
    return this.enqueue(grantee).combine(this.#grant(grantee, rights, environment.marked ? [] : ['decrypt']));
  }

  deadLetters(grantee: IGrantable, queues: Readonly<Record<string, LetterQueues>>): Grant {
    const { environment, tables } = this.#props;
    if (grantee instanceof LambdaFn) environment.addTo(grantee, { rejectable: Object.keys(queues) });
    const all = Object.values(queues);
    const rights = [
      ...workOnDeadLetters(
        all.map(({ deadLetterQueue }) => deadLetterQueue),
        all.flatMap(({ own }) => own),
        tables,
      ),
      ...onPayloads(tables, ['messages', 'results'], ['put', 'get']),
    ];
    return this.#grant(grantee, rights, ['encrypt', 'decrypt']);
  }

  /** What every caller is told. */
  tell(fn: LambdaFn): void {
    this.#props.environment.addTo(fn);
  }

  variables(): Record<string, string> {
    return { ...this.#props.payloadKeys.variables(), ...this.#props.environment.variables({ rules: true }) };
  }

  /** @param uses what it does with the data of tasks */
  #grant(grantee: IGrantable, rights: readonly Rights[], uses: readonly KeyUse[] = []): Grant {
    const { environment, keys, payloadKeys } = this.#props;
    if (grantee instanceof LambdaFn) {
      environment.addTo(grantee);
      if (uses.length > 0) payloadKeys.addTo(grantee);
    }
    const onKeys = uses.length === 0 ? [] : payloadKeys.rights(uses);
    return grantAll(grantee, [...keys.with(rights), ...onKeys]);
  }
}
