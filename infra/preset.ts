/** One word for what differs between a stack that people try things with and one that they live of. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';

import { booleanOption, shown } from '../lib/base/checks.ts';
import { InvalidOption } from '../lib/base/errors.ts';
import type { TaskAlarmsOptions } from './alarm-options.ts';

/** `development` leaves nothing behind and costs nothing beside; `production` loses nothing. */
export type Preset = 'development' | 'production';

/** What a preset decides. Each prop that is given counts more than the preset. */
export interface PresetProps {
  /** What the other props of this list are when they are not given. @default 'production' */
  readonly preset?: Preset;
  /** What becomes of the tables when the stack goes. @default RemovalPolicy.RETAIN; DESTROY in development */
  readonly removalPolicy?: RemovalPolicy;
  /** DynamoDB itself refuses to delete the tables. @default true unless removalPolicy is DESTROY */
  readonly deletionProtection?: boolean;
  /** DynamoDB keeps the tables of each second of the last 35 days. @default true; false in development */
  readonly pointInTimeRecovery?: boolean;
  /** How long logs of the functions are kept. @default RetentionDays.ONE_MONTH; ONE_WEEK in development */
  readonly logRetention?: RetentionDays;
  /** Alarms: whom they tell, and when they go off; false for none. @default - all of them, telling nobody; none in development */
  readonly alarms?: TaskAlarmsOptions | false;
  /** A CloudWatch dashboard of the service. @default true; false in development */
  readonly dashboard?: boolean;
}

/** What holds, whoever said it. */
export interface ServiceSettings extends Required<PresetProps> {}

interface Decided extends Omit<ServiceSettings, 'preset' | 'deletionProtection'> {}

// Memory and timeouts are the same in both: a task that runs in one runs in the other.
const PRESETS: Readonly<Record<Preset, Decided>> = {
  production: {
    removalPolicy: RemovalPolicy.RETAIN,
    pointInTimeRecovery: true,
    logRetention: RetentionDays.ONE_MONTH,
    alarms: {},
    dashboard: true,
  },
  development: {
    removalPolicy: RemovalPolicy.DESTROY,
    pointInTimeRecovery: false,
    logRetention: RetentionDays.ONE_WEEK,
    alarms: false,
    dashboard: false,
  },
};

/** @throws InvalidOption for a preset that is none, and for what is neither true nor false. */
export function settingsOf(props: PresetProps): ServiceSettings {
  const { preset = 'production' } = props;
  if (!Object.hasOwn(PRESETS, preset))
    throw new InvalidOption(`preset: ${shown(preset)} given; 'development' or 'production' is allowed.`);
  const decided = PRESETS[preset];
  const removalPolicy = props.removalPolicy ?? decided.removalPolicy;
  const either = (field: 'deletionProtection' | 'pointInTimeRecovery' | 'dashboard', fallback: boolean): boolean =>
    props[field] === undefined ? fallback : booleanOption(props[field], field);
  return {
    ...decided,
    preset,
    removalPolicy,
    deletionProtection: either('deletionProtection', removalPolicy !== RemovalPolicy.DESTROY),
    pointInTimeRecovery: either('pointInTimeRecovery', decided.pointInTimeRecovery),
    logRetention: props.logRetention ?? decided.logRetention,
    alarms: props.alarms ?? decided.alarms,
    dashboard: either('dashboard', decided.dashboard),
  };
}
