/** Services of so many queues, and what their templates watch. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

import { TaskService, type TaskServiceProps } from '../../infra/index.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { ENTRY, newApp } from './stacks.ts';

export interface Metric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
}

export interface Query {
  readonly Id: string;
  readonly Expression?: string;
  readonly ReturnData?: boolean;
  readonly MetricStat?: { readonly Metric: Metric; readonly Period: number; readonly Stat: string };
}

export interface AlarmProperties extends Partial<Metric> {
  readonly Metrics?: readonly Query[];
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly TreatMissingData: string;
  readonly AlarmDescription: string;
  readonly AlarmActions?: readonly unknown[];
  readonly OKActions?: readonly unknown[];
  readonly Period?: number;
  readonly Statistic?: string;
}

/** An app with queues `q0`, `q1`, ... */
export function manifestOf(count: number, more: Partial<AppManifest> = {}): AppManifest {
  const { queues = {}, ...rest } = more;
  return {
    name: 'blog',
    defaultQueue: 'q0',
    queues: {
      ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`q${index}`, { fifo: false }])),
      ...queues,
    },
    tasks: {},
    resultExpiresSeconds: 86_400,
    timerShards: 8,
    beat: [],
    ...rest,
  };
}

export interface Watched {
  readonly stack: Stack;
  readonly service: TaskService;
  readonly template: Template;
  /** By their ids in the scope of the alarms. */
  readonly alarms: Readonly<Record<string, AlarmProperties>>;
}

export function watch(
  app: AppManifest,
  props: Partial<TaskServiceProps> | ((stack: Stack) => Partial<TaskServiceProps>) = {},
): Watched {
  const stack = new Stack(newApp(), 'Test');
  const given = typeof props === 'function' ? props(stack) : props;
  const service = new TaskService(stack, 'Tasks', { app, entry: ENTRY, ...given });
  const template = Template.fromStack(stack);
  const found = Object.entries(template.findResources('AWS::CloudWatch::Alarm')).map(
    ([id, { Properties }]) =>
      [id.replace(/^TasksAlarms/, '').replace(/[0-9A-F]{8}$/, ''), Properties as AlarmProperties] as const,
  );
  return { stack, service, template, alarms: Object.fromEntries(found) };
}

/** What an alarm reads: name of the metric, and whose. */
export function readBy(alarm: AlarmProperties | undefined): string[] {
  if (alarm === undefined) return [];
  const metrics = alarm.Metrics?.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []) ?? [alarm as Metric];
  return metrics.map(({ MetricName, Dimensions }) => `${MetricName} ${subjectOf(Dimensions[0]?.Value)}`);
}

/** The construct whose name a token stands for, without the service's and CloudFormation's parts. */
export function subjectOf(value: unknown): string {
  const [id = ''] = JSON.stringify(value).match(/Tasks\w+/) ?? [];
  return id.replace(/^Tasks/, '').replace(/[0-9A-F]{8}$/, '');
}
