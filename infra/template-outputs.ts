/** What a template hands to those who know nothing of CDK: variables, policies and names, as outputs. */
import { CfnOutput, type Stack } from 'aws-cdk-lib';
import { type IGrantable, ManagedPolicy } from 'aws-cdk-lib/aws-iam';

import { stableHash } from '../lib/base/ids.ts';
import { externalQueuesOf } from '../lib/options/manifest.ts';
import type { TaskService } from './task-service.ts';

/** A managed policy for each grant of a service, and outputs of what callers, alarms and further rights need. */
export function addOutputs(stack: Stack, service: TaskService): void {
  const say = (name: string, value: string, description: string): void => {
    new CfnOutput(stack, `Output${name}`, { value, description }).overrideLogicalId(name);
  };
  for (const [variable, value] of Object.entries(service.environment()))
    say(pascalCase(variable), value, `${variable} of a function that calls`);
  const policy = (name: string, grant: (grantee: IGrantable) => unknown, description: string): void => {
    const made = new ManagedPolicy(stack, `${name}Policy`);
    grant(made);
    say(`${name}PolicyArn`, made.managedPolicyArn, description);
  };
  policy('Enqueue', (grantee) => service.grantEnqueue(grantee), 'Policy: to send');
  policy('Outbox', (grantee) => service.grantOutbox(grantee), 'Policy: messages in transactions of others');
  policy('Results', (grantee) => service.grantResults(grantee), 'Policy: to read results');
  policy('Manage', (grantee) => service.grantManage(grantee), 'Policy: to revoke and forget');
  policy('Schedules', (grantee) => service.grantSchedules(grantee), 'Policy: to send, and app.schedules');
  policy('Locks', (grantee) => service.grantLocks(grantee), 'Policy: app.locks');
  policy('History', (grantee) => service.grantHistory(grantee), 'Policy: app.history and app.stats()');
  policy('DeadLetters', (grantee) => service.grantDeadLetters(grantee), 'Policy: app.deadLetters and celeriac dlq');
  policy('Explain', (grantee) => service.grantExplain(grantee), 'Policy: app.explain() and celeriac explain');
  policy('Pause', (grantee) => service.grantPause(grantee), 'Policy: celeriac pause, resume, inspect queues');
  if (externalQueuesOf(service.manifest).length > 0) {
    policy('Celery', (grantee) => service.grantCelery(grantee), 'Policy: of a Celery app in Python');
    say('CelerySettings', stack.toJsonString(service.celerySettings()), 'JSON: settings of a Celery app in Python');
  }
  addQueueOutputs(service, say);
  say('SweeperFunctionName', service.sweeper.functionName, 'Function that sends what comes due');
}

function addQueueOutputs(service: TaskService, say: (name: string, value: string, description: string) => void): void {
  const names = outputNames(Object.keys(service.manifest.queues));
  for (const [queue, { external, laneOf, worker: kind }] of Object.entries(service.manifest.queues)) {
    const name = names.get(queue) ?? '';
    say(`${name}QueueArn`, service.queue(queue).queueArn, `Queue '${queue}'`);
    if (Object.hasOwn(service.queues.pairs, queue))
      say(`${name}DeadLetterQueueArn`, service.deadLetterQueue(queue).queueArn, `Dead letters of queue '${queue}'`);
    // A lane has the worker of its queue.
    if (external === true || laneOf !== undefined) continue;
    if (kind === 'process') {
      say(
        `${name}WorkerPolicyArn`,
        service.workerPolicy(queue).managedPolicyArn,
        `Policy: celeriac worker -Q ${queue}`,
      );
      const [variable] = Object.entries(service.workerEnvironment([queue]));
      if (variable !== undefined)
        say(`${name}WorkerVariable`, variable[1], `${variable[0]} of celeriac worker -Q ${queue}`);
      continue;
    }
    const worker = service.worker(queue);
    say(`${name}WorkerFunctionName`, worker.functionName, `Function that runs the tasks of queue '${queue}'`);
    // Whoever lets tasks reach a table or a secret of their own attaches a policy to it.
    if (worker.role !== undefined)
      say(`${name}WorkerRoleName`, worker.role.roleName, `Role of the tasks of queue '${queue}'`);
  }
}

/** Letters and digits alone, as outputs are named: `CELERIAC_RESULTS_TABLE` becomes `CeleriacResultsTable`. */
export function pascalCase(name: string): string {
  const words = /[a-z]/.test(name) ? name : name.toLowerCase();
  return words
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** What the outputs of each queue begin with; queues that would share it have a hash of their name behind it. */
export function outputNames(queues: readonly string[]): ReadonlyMap<string, string> {
  const uses = new Map<string, number>();
  for (const queue of queues) uses.set(pascalCase(queue), (uses.get(pascalCase(queue)) ?? 0) + 1);
  return new Map(
    queues.map((queue) => {
      const name = pascalCase(queue);
      const isOwn = name !== '' && uses.get(name) === 1;
      return [queue, isOwn ? name : `${name}${stableHash(queue).toString(36).toUpperCase()}`];
    }),
  );
}
