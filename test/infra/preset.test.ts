/** One word for removal, protection, recovery, logs and alarms; each prop counts more than it. */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { describe, expect, it } from 'vitest';

import { type PresetProps, type ServiceSettings, TaskService, type TaskServiceProps } from '../../infra/index.ts';
import { settingsOf } from '../../infra/preset.ts';
import type { AppManifest } from '../../lib/options/manifest.ts';
import { ENTRY, newApp } from './stacks.ts';

const MANIFEST: AppManifest = {
  name: 'shop',
  defaultQueue: 'default',
  queues: { default: { fifo: false } },
  tasks: {},
  resultExpiresSeconds: 86_400,
  timerShards: 8,
  beat: [],
};
const PRODUCTION: ServiceSettings = {
  preset: 'production',
  removalPolicy: RemovalPolicy.RETAIN,
  deletionProtection: true,
  pointInTimeRecovery: true,
  logRetention: RetentionDays.ONE_MONTH,
  alarms: {},
  dashboard: true,
};
const DEVELOPMENT: ServiceSettings = {
  preset: 'development',
  removalPolicy: RemovalPolicy.DESTROY,
  deletionProtection: false,
  pointInTimeRecovery: false,
  logRetention: RetentionDays.ONE_WEEK,
  alarms: false,
  dashboard: false,
};

it.each<[PresetProps, ServiceSettings]>([
  [{}, PRODUCTION],
  [{ preset: 'production' }, PRODUCTION],
  [{ preset: 'development' }, DEVELOPMENT],
  [
    { removalPolicy: RemovalPolicy.DESTROY },
    { ...PRODUCTION, removalPolicy: RemovalPolicy.DESTROY, deletionProtection: false },
  ],
  [
    { removalPolicy: RemovalPolicy.DESTROY, deletionProtection: true },
    { ...PRODUCTION, removalPolicy: RemovalPolicy.DESTROY },
  ],
  [{ deletionProtection: false }, { ...PRODUCTION, deletionProtection: false }],
  [
    { preset: 'development', removalPolicy: RemovalPolicy.RETAIN },
    { ...DEVELOPMENT, removalPolicy: RemovalPolicy.RETAIN, deletionProtection: true },
  ],
  [
    { preset: 'development', pointInTimeRecovery: true },
    { ...DEVELOPMENT, pointInTimeRecovery: true },
  ],
  [
    { preset: 'development', alarms: { lost: 2 } },
    { ...DEVELOPMENT, alarms: { lost: 2 } },
  ],
  [
    { alarms: false, dashboard: false },
    { ...PRODUCTION, alarms: false, dashboard: false },
  ],
  [
    { preset: 'development', logRetention: RetentionDays.ONE_DAY },
    { ...DEVELOPMENT, logRetention: RetentionDays.ONE_DAY },
  ],
])('%j', (props, settings) => {
  expect(settingsOf(props)).toEqual(settings);
});

describe('in the template', () => {
  const synth = (props: Partial<TaskServiceProps>): { service: TaskService; template: Template } => {
    const stack = new Stack(newApp(), 'Test');
    const service = new TaskService(stack, 'Tasks', { app: MANIFEST, entry: ENTRY, ...props });
    return { service, template: Template.fromStack(stack) };
  };
  const replicas = (template: Template): unknown[] =>
    Object.values(template.findResources('AWS::DynamoDB::GlobalTable')).flatMap(
      (table) => (table as { Properties: { Replicas: unknown[] } }).Properties.Replicas,
    );

  it('development: nothing stays, nothing is watched', () => {
    const { service, template } = synth({ preset: 'development' });
    for (const table of Object.values(template.findResources('AWS::DynamoDB::GlobalTable')))
      expect(table).toMatchObject({ DeletionPolicy: 'Delete' });
    expect(replicas(template)).toHaveLength(2);
    for (const replica of replicas(template))
      expect(replica).toMatchObject({
        DeletionProtectionEnabled: false,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
      });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
    template.resourceCountIs('AWS::CloudWatch::Alarm', 0);
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
    expect([service.alarms, service.dashboard, service.settings.preset]).toEqual([undefined, undefined, 'development']);
  });

  it('development with alarms: those that are asked for', () => {
    const { service, template } = synth({ preset: 'development', alarms: {}, dashboard: true });
    expect(service.alarms?.all.length).toBeGreaterThan(3);
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  });

  it('production is what holds without a word', () => {
    const { template } = synth({});
    expect(synth({ preset: 'production' }).template.toJSON()).toEqual(template.toJSON());
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    expect(Object.keys(template.findResources('AWS::CloudWatch::Alarm')).length).toBeGreaterThan(3);
  });
});

it.each<[unknown, string]>([
  [{ preset: 'prod' }, "preset: 'prod' given; 'development' or 'production' is allowed."],
  [{ preset: 'toString' }, "preset: 'toString' given"],
  [{ pointInTimeRecovery: 'yes' }, "pointInTimeRecovery: 'yes' given; true or false is allowed."],
  [{ dashboard: 'no' }, "dashboard: 'no' given; true or false is allowed."],
  [{ deletionProtection: 1 }, 'deletionProtection: 1 given; true or false is allowed.'],
])('%j is refused', (props, error) => {
  expect(() => settingsOf(props as PresetProps)).toThrow(error);
});
