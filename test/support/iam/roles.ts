/** The roles of an app's service, synthesized as they would be deployed, for an embedded cloud of the same app. */
import { type CfnElement, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { IConstruct } from 'constructs';
import type { Celeriac } from 'celeriac';

import { TaskService } from '../../../infra/index.ts';
import { CALLER, queueOf, SWEEPER } from '../../../lib/local/actors.ts';
import { physicalQueueName } from '../../../lib/wire/queue-name.ts';
import { WAKE_QUEUE } from '../../../lib/ports/wake-up.ts';
import { ENTRY, newApp, newCaller } from '../../infra/stacks.ts';
import { ACCOUNT, arnOfBucket, arnOfQueue, arnOfTable, REGION } from './asked.ts';
import { KMS_KEY_ARN } from './asked-codec.ts';
import { IamGate } from './gate.ts';
import type { Statement } from './policy.ts';
import { DeployedTemplate, type TemplateJson } from './template.ts';

/** What somebody outside of the service is granted, by the access key; or a function of the service’s own. */
export type Callers = Readonly<Record<string, (service: TaskService, grantee: IGrantable) => LambdaFn | void>>;

/** An API handler that does all that an app's own process does. */
export const EVERY_GRANT: Callers = {
  [CALLER]: (service, grantee) => {
    service.grantSchedules(grantee);
    service.grantResults(grantee);
    service.grantManage(grantee);
    service.grantLocks(grantee);
    service.grantHistory(grantee);
    service.grantPause(grantee);
    service.grantExplain(grantee);
  },
};

export interface ServiceRoles {
  /** Of the topic that failures are told to, as the template's policies name it; empty for none. */
  readonly topicArn: string;
  readonly gate: IamGate;
  /** Statements of the role that has this access key. */
  readonly statementsOf: (actor: string) => readonly Statement[];
  readonly service: TaskService;
  /** Ids of what feeds the workers, by queue. */
  readonly eventSources: Readonly<Record<string, string>>;
}

/** @param notified whether somebody is told of failures */
export function rolesOf(
  app: Celeriac,
  callers: Callers = EVERY_GRANT,
  notified: boolean | 'processes' = false,
): ServiceRoles {
  const stack = new Stack(newApp(), 'Test', { env: { account: ACCOUNT, region: REGION } });
  const payloadKeys = { VAULT_KEY: Key.fromKeyArn(stack, 'PayloadKey', KMS_KEY_ARN) };
  const service = new TaskService(stack, 'Tasks', {
    app,
    entry: ENTRY,
    ...(app.manifest().codec === true ? { payloadKeys } : {}),
  });
  const topic = notified === true ? service.notify({ emails: ['ops@example.org'] }) : undefined;
  if (notified === 'processes') service.notifyByProcesses();
  const functions = new Map<string, LambdaFn>([[SWEEPER, service.sweeper]]);
  for (const [actor, grant] of Object.entries(callers)) {
    const caller = newCaller(stack, `Caller${functions.size}`);
    functions.set(actor, grant(service, caller) ?? caller);
  }
  const deployed = new DeployedTemplate(Template.fromStack(stack).toJSON() as TemplateJson, arnsOf(stack, service));
  const known = new Map<string, readonly Statement[]>();
  const statementsOf = (actor: string): readonly Statement[] => {
    const queue = queueOf(actor);
    const read = (): Statement[] => {
      if (queue !== undefined && service.manifest.queues[queue]?.worker === 'process')
        return deployed.managedStatements(logicalId(stack, service.workerPolicy(queue)));
      const role = (queue === undefined ? functions.get(actor) : service.worker(queue))?.role;
      if (role === undefined) throw new Error(`No role has the access key '${actor}'.`);
      return deployed.identityStatements(logicalId(stack, role));
    };
    const statements = known.get(actor) ?? read();
    known.set(actor, statements);
    return statements;
  };
  const gate = new IamGate({
    statementsOf,
    resourceStatements: (arn) => deployed.resourceStatements(arn),
    rulesOn: (arn) => deployed.rulesOn(arn),
  });
  const arns = arnsOf(stack, service);
  const fed = Object.entries(service.queues.pairs).flatMap(([name, { queue }]) => {
    const [source] = deployed.sourcesOn(arns.get(logicalId(stack, queue)) ?? '');
    return source === undefined ? [] : [[name, source]];
  });
  const topicArn = topic === undefined ? '' : `ref:${logicalId(stack, topic)}`;
  return { gate, statementsOf, service, topicArn, eventSources: Object.fromEntries(fed) as Record<string, string> };
}

/** Names that `provision` gives in the place of CloudFormation. */
function arnsOf(stack: Stack, { manifest, queues, tables }: TaskService): Map<string, string> {
  const prefix = manifest.name.replaceAll('.', '-');
  const queue = (name: string, fifo: boolean): string => arnOfQueue(physicalQueueName(`${prefix}-`, name, fifo));
  const named: [IConstruct, string][] = [
    [tables.results, arnOfTable(`${prefix}-results`)],
    [tables.state, arnOfTable(`${prefix}-state`)],
    ...(tables.payloads === undefined
      ? []
      : ([[tables.payloads, arnOfBucket(`${prefix.toLowerCase()}-payloads`)]] as [IConstruct, string][])),
    [queues.missedTicks, queue('missed-ticks', false)],
    ...queues.lost.map((lost): [IConstruct, string] => [lost, queue('lost', lost.fifo)]),
    ...(queues.wakeUps === undefined ? [] : ([[queues.wakeUps, queue(WAKE_QUEUE, false)]] as [IConstruct, string][])),
  ];
  for (const [name, lane] of Object.entries(queues.lanes)) named.push([lane.queue, queue(name, false)]);
  for (const [name, pair] of Object.entries(queues.pairs))
    named.push(
      [pair.queue, queue(name, pair.queue.fifo)],
      [pair.deadLetterQueue, queue(`${name.replace(/\.fifo$/, '')}-dead`, pair.queue.fifo)],
    );
  return new Map(named.map(([construct, arn]) => [logicalId(stack, construct), arn]));
}

function logicalId(stack: Stack, construct: IConstruct): string {
  return stack.getLogicalId(construct.node.defaultChild as CfnElement);
}
