/** Gathers what a service consists of, and has synth print it. */
import { Annotations, Stack, Token } from 'aws-cdk-lib';
import { ApplicationLogLevel, Architecture, CfnFunction, type Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';

import type { IConstruct } from 'constructs';

import { MIN_FIFO_RECORD_SECONDS } from '../lib/base/limits.ts';
import type { AppManifest } from '../lib/options/manifest.ts';
import type { TaskAlarms } from './alarms.ts';
import type { TaskDashboard } from './dashboard.ts';
import type { MeteredService } from './metrics.ts';
import { allOf, type ServicePlan } from './plan.ts';
import { pricesOf } from './prices.ts';
import { serviceTable, type ServiceSheet } from './service-table.ts';
import { SWEEPER_TIMEOUT_SECONDS } from './validate.ts';

/** A service that is made, alarms and dashboard too. */
export interface ReportedService extends MeteredService {
  readonly alarms: TaskAlarms | undefined;
  readonly dashboard: TaskDashboard | undefined;
}

/** As an annotation with an id, like the schedule entries: whoever does not want to see it acknowledges it. */
export function reportService(service: ReportedService, plan: ServicePlan): void {
  const { region } = Stack.of(service);
  const prices = pricesOf(Token.isUnresolved(region) ? '' : region);
  Annotations.of(service).addInfoV2('celeriac:service', serviceTable(sheetOf(service, plan), prices));
}

/** Patterns of the routes that match no task: a slip, mostly. */
export function warnOfRoutes(scope: IConstruct, { name, idleRoutes = [] }: AppManifest): void {
  for (const pattern of idleRoutes)
    Annotations.of(scope).addWarningV2(
      `celeriac:idleRoute:${pattern}`,
      `routes: '${pattern}' matches no task of app '${name}'. Correct it, or import the module that declares its tasks.`,
    );
}

/** A second message of a FIFO queue may stand in its group until SQS deletes it: by then its task's record must not be gone. */
export function warnOfRetention(scope: IConstruct, manifest: AppManifest, plans: ServicePlan['queues']): void {
  const keptSeconds = Math.max(MIN_FIFO_RECORD_SECONDS, manifest.resultExpiresSeconds);
  for (const [queue, { fifo, retentionSeconds }] of Object.entries(plans))
    if (fifo && retentionSeconds > keptSeconds)
      Annotations.of(scope).addWarningV2(
        `celeriac:longRetention:${queue}`,
        `retention of queue '${queue}' is ${retentionSeconds} s, and records of its tasks are kept for ${keptSeconds} s: a message that was sent twice, and waits in its group for longer, runs twice. Set resultExpires of the app to ${retentionSeconds} s, or a shorter retention.`,
      );
}

export function sheetOf(service: ReportedService, plan: ServicePlan): ServiceSheet {
  const { manifest, queues, sweeper } = service;
  const { lost, wakeUps } = queues;
  return {
    app: manifest.name,
    queues: Object.entries(manifest.queues).map(([name, { fifo, external, worker }]) => {
      const made = Object.hasOwn(plan.queues, name) ? plan.queues[name] : undefined;
      return {
        name,
        type: fifo ? 'FIFO' : 'standard',
        consumer: external === true ? 'elsewhere' : worker === 'process' ? 'process' : 'worker',
        ...(made === undefined ? {} : { made }),
      };
    }),
    workers: Object.entries(plan.workers).map(([queue, worker]) => ({
      ...worker,
      queue,
      batchSize: Math.min(...worker.sources.map(({ batchSize }) => batchSize)),
      concurrency: allOf('concurrency', worker),
      workers: allOf('workers', worker),
      lanes: worker.sources.slice(1).map((source) => ({ queue: source.queue, fifo: worker.fifo })),
      arm: isArm(service.worker(queue)),
      warm: plan.given[queue]?.provisionedConcurrency ?? 0,
      logged: !QUIET.has(plan.given[queue]?.logLevel ?? ApplicationLogLevel.INFO),
      noted: manifest.history !== 'off',
    })),
    sweeperSources: [...lost, ...(wakeUps === undefined ? [] : [wakeUps])].map(({ node, fifo }) => ({
      queue: node.id,
      fifo,
    })),
    sweeper: { memoryMiB: memoryOf(sweeper), arm: isArm(sweeper), timeoutSeconds: SWEEPER_TIMEOUT_SECONDS },
    timerShards: manifest.timerShards,
    noted: manifest.history !== 'off',
    alarmMetrics: service.alarms?.metricCount ?? 0,
    dashboardMetrics: service.dashboard?.metricCount ?? 0,
  };
}

const QUIET: ReadonlySet<string> = new Set([
  ApplicationLogLevel.WARN,
  ApplicationLogLevel.ERROR,
  ApplicationLogLevel.FATAL,
]);

function isArm({ architecture }: LambdaFn): boolean {
  return architecture.name === Architecture.ARM_64.name;
}

// Lambda's own default.
const DEFAULT_MEMORY_MIB = 128;

function memoryOf({ node: { defaultChild } }: LambdaFn): number {
  const memory = defaultChild instanceof CfnFunction ? defaultChild.memorySize : undefined;
  return memory === undefined || Token.isUnresolved(memory) ? DEFAULT_MEMORY_MIB : memory;
}
