/** What people who look after a service may do with it: pause and resume queues, and all else that the command `celeriac` does. */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { type Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import type { DeployedWorker } from '../lib/options/deployed-service.ts';
import type { EncryptionKeys } from './encryption.ts';
import {
  countIn,
  emptyQueues,
  grantAll,
  lookInto,
  readWaits,
  type Rights,
  type Tables,
  workOnPauses,
} from './grants.ts';
import { actOnService, countLogins, lookAround } from './monitor-rights.ts';
import type { ServiceAccess } from './service-access.ts';

export interface OperatorsProps {
  readonly access: ServiceAccess;
  readonly tables: Tables;
  readonly keys: EncryptionKeys;
  /** Those that workers receive tasks from. */
  readonly own: readonly IQueue[];
  /** Those that are sent to. */
  readonly targets: readonly IQueue[];
  /** Of the rules that it may switch. */
  readonly ruleArns: readonly string[];
  /** The same, and their dead-letter queues. */
  readonly queues: readonly IQueue[];
  /** What feeds the workers. */
  readonly workers: Readonly<Record<string, DeployedWorker>>;
  /** Name of the SSM parameter in which the service says what it is. */
  readonly parameterName: string | undefined;
}

export class Operators {
  readonly #scope: Construct;
  readonly #props: OperatorsProps;

  constructor(scope: Construct, props: OperatorsProps) {
    this.#scope = scope;
    this.#props = props;
  }

  pause(grantee: IGrantable): Grant {
    const { access, keys } = this.#props;
    const rights = [
      ...this.#pausing(),
      // CloudWatch knows no resources of metrics.
      { actions: ['cloudwatch:GetMetricStatistics'], resourceArns: ['*'] },
    ];
    if (grantee instanceof LambdaFn) access.tell(grantee);
    return grantAll(grantee, keys.with(rights));
  }

  operate(grantee: IGrantable): Grant {
    return this.#acting(grantee, lookInto(this.#props.own)).combine(this.pause(grantee));
  }

  /** Of a monitor that may act, beside what each may see. */
  act(grantee: IGrantable, deadLetterQueues: readonly IQueue[]): Grant {
    const { tables, own, targets, queues, keys, ruleArns } = this.#props;
    const rights = actOnService(tables, { own, targets, deadLetterQueues, counted: queues }, ruleArns);
    const switches = sourceRights(this.#scope, this.#props, ['Update']);
    return grantAll(grantee, keys.with([...rights, ...switches]));
  }

  /** Of every monitor. */
  looking(deadLetterQueues: readonly IQueue[], { byPassword }: { readonly byPassword: boolean }): Rights[] {
    const { tables, own, targets, queues: counted } = this.#props;
    return [
      ...lookAround(tables, { own, targets, deadLetterQueues, counted }),
      ...(byPassword ? countLogins(tables) : []),
      ...sourceRights(this.#scope, this.#props, ['Get']),
      ...parameterRights(this.#scope, this.#props),
    ];
  }

  #pausing(): Rights[] {
    const { tables, queues } = this.#props;
    return [workOnPauses(tables.state), countIn(queues), ...switchSources(this.#scope, this.#props)];
  }

  #acting(grantee: IGrantable, more: readonly Rights[] = []): Grant {
    const { access, tables, keys, own } = this.#props;
    return [
      access.schedules(grantee),
      access.results(grantee),
      access.manage(grantee),
      access.locks(grantee),
      access.history(grantee),
      grantAll(grantee, keys.with([...readWaits(tables), emptyQueues(own), ...more])),
    ].reduce((all, grant) => all.combine(grant));
  }
}

type Sources = Pick<OperatorsProps, 'workers' | 'parameterName'>;

/** Reading which event source mappings there are, and switching them: each by its own ARN. */
export function switchSources(scope: Construct, sources: Sources): Rights[] {
  return [...sourceRights(scope, sources, ['Get', 'Update']), ...parameterRights(scope, sources)];
}

function sourceRights(scope: Construct, { workers }: Sources, verbs: readonly ('Get' | 'Update')[]): Rights[] {
  const stack = Stack.of(scope);
  const mappings = Object.values(workers).map(({ eventSource }) =>
    stack.formatArn({
      service: 'lambda',
      resource: 'event-source-mapping',
      resourceName: eventSource,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }),
  );
  const actions = verbs.map((verb) => `lambda:${verb}EventSourceMapping`);
  return mappings.length === 0 ? [] : [{ actions, resourceArns: mappings }];
}

/** The service says there which there are. */
function parameterRights(scope: Construct, { parameterName }: Sources): Rights[] {
  if (parameterName === undefined) return [];
  const resourceName = parameterName.replace(/^\//, '');
  return [
    {
      actions: ['ssm:GetParameter'],
      resourceArns: [Stack.of(scope).formatArn({ service: 'ssm', resource: 'parameter', resourceName })],
    },
  ];
}
