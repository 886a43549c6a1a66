import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';

export interface TaskTablesProps {
  /** What becomes of results and timers when the stack goes. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
  /** DynamoDB itself refuses to delete the tables. @default true unless removalPolicy is DESTROY */
  readonly deletionProtection?: boolean;
}

/** `results` is readable by Celery's DynamoDB backend; `state` holds timers and everything else. */
export class TaskTables extends Construct {
  readonly results: TableV2;
  readonly state: TableV2;

  constructor(scope: Construct, id: string, props: TaskTablesProps = {}) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const common = {
      billing: Billing.onDemand(),
      timeToLiveAttribute: 'ttl',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy,
      deletionProtection: props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY,
    };
    this.results = new TableV2(this, 'Results', {
      ...common,
      partitionKey: { name: 'id', type: AttributeType.STRING },
    });
    this.state = new TableV2(this, 'State', {
      ...common,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
    });
  }
}
