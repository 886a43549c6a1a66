/** What a service is made of, as rows of tables: `docs/without-cdk.md` shows them to those who make it by hand. */
import type { CloudFormationTemplate } from '../../infra/template.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Cells of one row. */
export type Row = readonly string[];

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: { readonly 'ForAllValues:StringLike'?: Readonly<Record<string, readonly string[]>> };
}

function ofType(template: CloudFormationTemplate, type: string): readonly (readonly [string, Properties])[] {
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === type)
    .map(([id, { Properties }]) => [id, Properties ?? {}] as const);
}

/** Logical ids that a value refers to. */
function idsIn(value: unknown): string[] {
  const text = JSON.stringify(value ?? null);
  return [...text.matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)].map(([, id = '']) => id);
}

/** Of the example's queues: what a resource is called in the tables. */
function queueOf(id: string): string {
  const kinds: readonly (readonly [RegExp, string])[] = [
    [/QueuesMaincelery/, 'an external queue'],
    [/QueuesMain/, 'a queue'],
    [/QueuesDeadLetters/, 'its dead-letter queue'],
    [/QueuesLostFifo/, '`lost.fifo`'],
    [/QueuesLost/, '`lost`'],
    [/QueuesWakeUps/, '`wake-ups`'],
    [/QueuesMissedTicks/, '`missed-ticks`'],
  ];
  return kinds.find(([pattern]) => pattern.test(id))?.[1] ?? id;
}

function duration(seconds: unknown): string {
  if (typeof seconds !== 'number') return '';
  if (seconds % 86_400 === 0) return `${seconds / 86_400} days`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** Queue, type, how long it keeps and hides, where messages go that nobody handled. */
export function queueRows(template: CloudFormationTemplate): Row[] {
  return unique(
    ofType(template, 'AWS::SQS::Queue').map(([id, properties]) => {
      const { RedrivePolicy: redrive } = properties as {
        readonly RedrivePolicy?: { readonly deadLetterTargetArn: unknown; readonly maxReceiveCount: number };
      };
      const [target] = idsIn(redrive?.deadLetterTargetArn);
      return [
        queueOf(id),
        properties['FifoQueue'] === true ? 'FIFO' : 'standard',
        duration(properties['MessageRetentionPeriod']),
        duration(properties['VisibilityTimeout']),
        target === undefined ? '' : `${queueOf(target)} after ${redrive?.maxReceiveCount} receives`,
      ];
    }),
  );
}

/** Function, runtime, timeout, memory, whether it may call itself in a circle, form of its logs. */
export function functionRows(template: CloudFormationTemplate): Row[] {
  return unique(
    ofType(template, 'AWS::Lambda::Function').map(([id, properties]) => [
      id.includes('Sweeper') ? 'the sweeper, one' : 'a worker, one for each queue',
      `\`${String(properties['Runtime'])}\`, \`${String(properties['Architectures'])}\``,
      duration(properties['Timeout']),
      `${String(properties['MemorySize'])} MiB`,
      `\`${String(properties['RecursiveLoop'])}\``,
      `\`${(properties['LoggingConfig'] as { readonly LogFormat: string }).LogFormat}\``,
    ]),
  );
}

/** Queue, function, batch, most invocations at once, what the answer may tell. */
export function eventSourceRows(template: CloudFormationTemplate): Row[] {
  return unique(
    ofType(template, 'AWS::Lambda::EventSourceMapping').map(([, properties]) => {
      const scaling = properties['ScalingConfig'] as { readonly MaximumConcurrency: number } | undefined;
      const [queue = ''] = idsIn(properties['EventSourceArn']);
      const [fn = ''] = idsIn(properties['FunctionName']);
      return [
        queueOf(queue),
        fn.includes('Sweeper') ? 'the sweeper' : 'its worker',
        String(properties['BatchSize']),
        scaling === undefined ? '' : String(scaling.MaximumConcurrency),
        `\`${String(properties['FunctionResponseTypes'])}\``,
      ];
    }),
  );
}

/** Table, keys, the attribute by which items expire, billing. */
export function tableRows(template: CloudFormationTemplate): Row[] {
  return ofType(template, 'AWS::DynamoDB::GlobalTable').map(([id, properties]) => {
    const keys = properties['KeySchema'] as readonly { readonly AttributeName: string; readonly KeyType: string }[];
    const types = properties['AttributeDefinitions'] as readonly {
      readonly AttributeName: string;
      readonly AttributeType: string;
    }[];
    const key = (type: string): string => {
      const name = keys.find(({ KeyType }) => KeyType === type)?.AttributeName;
      const of = types.find(({ AttributeName }) => AttributeName === name)?.AttributeType;
      return name === undefined ? '' : `\`${name}\` (${of})`;
    };
    const { AttributeName: ttl } = properties['TimeToLiveSpecification'] as { readonly AttributeName: string };
    const name = /Tables(Results|State)/.exec(id)?.[1]?.toLowerCase() ?? id;
    return [`\`${name}\``, key('HASH'), key('RANGE'), `\`${ttl}\``, `\`${String(properties['BillingMode'])}\``];
  });
}

/** Role, what on, actions, which keys. */
export function rightsRows(template: CloudFormationTemplate, queues: number): Row[] {
  const policies = [...ofType(template, 'AWS::IAM::Policy'), ...ofType(template, 'AWS::IAM::ManagedPolicy')];
  return unique(
    policies.flatMap(([id, { PolicyDocument: document }]) =>
      (document as { readonly Statement: readonly Statement[] }).Statement.map((statement) => [
        roleOf(id),
        // Of whoever is no worker these are the queues that have one.
        roleOf(id).startsWith('`grant')
          ? resourcesOf(statement.Resource, queues).replace(/^its queue$/, 'queues with workers here')
          : resourcesOf(statement.Resource, queues),
        actionsOf(statement.Action),
        keysOf(statement),
      ]),
    ),
  );
}

function roleOf(id: string): string {
  if (id.includes('Workers')) return 'a worker';
  return id.includes('Sweeper') ? 'the sweeper' : `\`grant${/^(\w+)Policy/.exec(id)?.[1] ?? id}\``;
}

function actionsOf(actions: string | readonly string[]): string {
  const [first = ''] = [actions].flat();
  const names = [actions].flat().map((action) => `\`${action.slice(action.indexOf(':') + 1)}\``);
  return `${first.slice(0, first.indexOf(':'))}: ${names.toSorted().join(' ')}`;
}

function resourcesOf(resource: unknown, queues: number): string {
  if (resource === '*') return '`*`';
  const text = JSON.stringify(resource);
  if (text.includes(':events:')) return 'rules of entries';
  if (text.includes(':event-source-mapping:')) return 'event sources of workers';
  if (text.includes(':ssm:')) return "the service's parameter";
  const ids = idsIn(resource);
  const main = ids.filter((id) => id.includes('QueuesMain'));
  const dead = ids.filter((id) => id.includes('QueuesDeadLetters'));
  const [onlyMain = ''] = main;
  const said = [
    main.length === queues ? 'every queue' : main.length === 0 ? '' : queueOf(onlyMain).replace(/^a /, 'its '),
    dead.length > 1 ? 'every dead-letter queue' : dead.length === 1 ? 'its dead-letter queue' : '',
    ...ids.filter((id) => /Queues(Lost|WakeUps)/.test(id)).map(queueOf),
    ids.some((id) => id.includes('TablesResults')) ? '`results`' : '',
    ids.some((id) => id.includes('TablesState')) ? '`state`' : '',
    ids.some((id) => id.includes('Logs')) ? 'its log group' : '',
  ];
  return said.filter((part) => part !== '').join(', ');
}

function keysOf({ Condition }: Statement): string {
  const { 'dynamodb:LeadingKeys': keys = [], 'dynamodb:Attributes': attributes = [] } =
    Condition?.['ForAllValues:StringLike'] ?? {};
  const code = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(' ');
  return attributes.length === 0 ? code(keys) : `${code(keys)}, attributes ${code(attributes)}`;
}

function unique(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.join('|'), row])).values()];
}

/** Rows of the table under a heading of a page, without its head. */
export function tableUnder(page: string, heading: string): Row[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
