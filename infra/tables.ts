import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, type ITable, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

import type { ExistingTables } from './existing-tables.ts';

/** What becomes of the tables when the stack goes. */
export interface TaskTablesProps {
  /** What becomes of results and timers when the stack goes. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
  /** DynamoDB itself refuses to delete the tables. @default true unless removalPolicy is DESTROY */
  readonly deletionProtection?: boolean;
  /** DynamoDB keeps the tables of each second of the last 35 days. @default true */
  readonly pointInTimeRecovery?: boolean;
  /** Encrypts both tables. @default - a key that DynamoDB owns */
  readonly encryptionKey?: IKey;
  /** Tables that exist already. @default - both are made */
  readonly existing?: ExistingTables;
  /** The bucket of large payloads. @default - none */
  readonly payloads?: IBucket | undefined;
}

/** `results` is readable by Celery's DynamoDB backend; `state` holds timers and everything else. */
export class TaskTables extends Construct {
  /** Results by task id, in the form of Celery's DynamoDB backend: key `id`, expiry `ttl`. */
  readonly results: ITable;
  /** Timers, groups and schedule entries: keys `pk` and `sk`, expiry `ttl`. */
  readonly state: ITable;
  /** Large arguments and results; undefined where the app has no `largePayloads`. */
  readonly payloads: IBucket | undefined;

  /** Makes the tables that do not exist, on demand. `TaskService` calls it. */
  constructor(scope: Construct, id: string, props: TaskTablesProps = {}) {
    super(scope, id);
    this.payloads = props.payloads;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const common = {
      billing: Billing.onDemand(),
      timeToLiveAttribute: 'ttl',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: props.pointInTimeRecovery ?? true },
      ...(props.encryptionKey === undefined
        ? {}
        : { encryption: TableEncryptionV2.customerManagedKey(props.encryptionKey) }),
      removalPolicy,
      deletionProtection: props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY,
    };
    this.results =
      props.existing?.results ??
      new TableV2(this, 'Results', {
        ...common,
        partitionKey: { name: 'id', type: AttributeType.STRING },
      });
    this.state =
      props.existing?.state ??
      new TableV2(this, 'State', {
        ...common,
        partitionKey: { name: 'pk', type: AttributeType.STRING },
        sortKey: { name: 'sk', type: AttributeType.STRING },
      });
  }
}
