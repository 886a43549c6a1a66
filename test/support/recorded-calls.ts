/** What SDK clients were asked to do, as IAM sees it: action, resource, and the partition keys of the request. */
export interface AwsCall {
  readonly action: string;
  /** Name of the queue, table or rule. */
  readonly resource: string;
  /** `dynamodb:LeadingKeys`: the partition keys that the request names. Empty for other services. */
  readonly leadingKeys: readonly string[];
}

type Input = Readonly<Record<string, unknown>>;
type Key = Readonly<Record<string, { readonly S?: string }>>;

interface Recordable {
  readonly middlewareStack: {
    add(middleware: Middleware, options: { readonly step: 'initialize'; readonly name: string }): void;
  };
}
type Next = (args: { readonly input: object }) => Promise<unknown>;
type Middleware = (next: unknown, context: { readonly commandName?: string }) => (args: { input: object }) => never;

/** Notes every call of the client; with an `answer` nothing is sent. */
export function recordCalls(client: unknown, calls: AwsCall[], answer?: (command: string) => object): void {
  const middleware = (next: Next, { commandName = '' }: { readonly commandName?: string }) => {
    const operation = commandName.replace(/Command$/, '');
    return async (args: { readonly input: object }): Promise<unknown> => {
      calls.push(...callsOf(operation, args.input as Input));
      return answer === undefined ? next(args) : { output: { $metadata: {}, ...answer(operation) }, response: {} };
    };
  };
  (client as Recordable).middlewareStack.add(middleware as unknown as Middleware, {
    step: 'initialize',
    name: 'recordCalls',
  });
}

// IAM knows no batch actions of SQS: the right to the single one covers them.
const SQS = /^(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch$/;
const PARTIQL: Readonly<Record<string, string>> = {
  INSERT: 'PartiQLInsert',
  UPDATE: 'PartiQLUpdate',
  DELETE: 'PartiQLDelete',
  SELECT: 'PartiQLSelect',
};

function callsOf(operation: string, input: Input): AwsCall[] {
  if (typeof input['QueueUrl'] === 'string')
    return [{ action: `sqs:${operation.replace(SQS, '$1')}`, resource: lastPart(input['QueueUrl']), leadingKeys: [] }];
  if (operation.endsWith('Rule'))
    return [{ action: `events:${operation}`, resource: String(input['Name']), leadingKeys: [] }];
  if (operation === 'BatchExecuteStatement') return statementsOf(input);
  const byTable = input['RequestItems'] as Readonly<Record<string, unknown>> | undefined;
  if (byTable !== undefined)
    return Object.entries(byTable).map(([table, requests]) => ({
      action: `dynamodb:${operation}`,
      resource: table,
      leadingKeys: distinct(keysOfBatch(requests).map(partitionKey)),
    }));
  return [{ action: `dynamodb:${operation}`, resource: String(input['TableName']), leadingKeys: leadingKeysOf(input) }];
}

function statementsOf(input: Input): AwsCall[] {
  const statements = input['Statements'] as readonly {
    readonly Statement: string;
    readonly Parameters: Key[string][];
  }[];
  return statements.map(({ Statement, Parameters }) => {
    const [, verb = '', table = ''] = /^(\w+)[^"]*"([^"]+)"/.exec(Statement) ?? [];
    const named = [...Statement.matchAll(/["'](\w+)["'](?: =|:) \?/g)].map(([, name = '']) => name);
    const key = Parameters[named.findIndex((name) => name === 'pk' || name === 'id')]?.S;
    return {
      action: `dynamodb:${PARTIQL[verb] ?? verb}`,
      resource: table,
      leadingKeys: key === undefined ? [] : [key],
    };
  });
}

function keysOfBatch(requests: unknown): Key[] {
  if (!Array.isArray(requests)) return [...((requests as { readonly Keys: readonly Key[] }).Keys ?? [])];
  return (requests as readonly { PutRequest?: { Item: Key }; DeleteRequest?: { Key: Key } }[]).flatMap(
    ({ PutRequest, DeleteRequest }): Key[] => [PutRequest?.Item ?? DeleteRequest?.Key ?? {}],
  );
}

function leadingKeysOf(input: Input): string[] {
  const key = (input['Key'] ?? input['Item']) as Key | undefined;
  if (key !== undefined) return [partitionKey(key)];
  const values = input['ExpressionAttributeValues'] as Key | undefined;
  return values?.[':pk'] === undefined ? [] : [values[':pk'].S ?? ''];
}

function partitionKey(key: Key): string {
  return key['pk']?.S ?? key['id']?.S ?? '';
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function lastPart(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
