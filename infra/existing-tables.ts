/** Tables that exist before the service: what it accepts of them. */
import { Arn, ArnFormat, Stack, Token, TokenComparison } from 'aws-cdk-lib';
import { CfnGlobalTable, CfnTable, type ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

import { refuseUnknownKeys, shown } from '../lib/base/checks.ts';
import { InvalidOption } from '../lib/base/errors.ts';
import type { PresetProps } from './preset.ts';

/** Tables that exist already; what is left out the service makes. No two services may have one table. */
export interface ExistingTables {
  /** Results: partition key `id` (text), no sort key, TTL on `ttl`. @default - the service makes it */
  readonly results?: ITable;
  /** Everything else: partition key `pk` and sort key `sk` (text), TTL on `ttl`. @default - the service makes it */
  readonly state?: ITable;
}

const KEYS: Readonly<Record<keyof ExistingTables, readonly string[]>> = { results: ['id'], state: ['pk', 'sk'] };
const TABLE_NAMES: ReadonlySet<string> = new Set(Object.keys(KEYS));
const EXPIRY = 'ttl';
const OF_MADE_TABLES = ['removalPolicy', 'deletionProtection', 'pointInTimeRecovery'] as const;

/** @throws InvalidOption */
export function validateTables(scope: Construct, tables: ExistingTables, props: PresetProps): void {
  refuseUnknownKeys(tables, TABLE_NAMES, 'tables');
  const { results, state } = tables;
  for (const [name, table] of [
    ['results', results],
    ['state', state],
  ] as const)
    if (table !== undefined) validateTable(scope, name, table);
  if (results === undefined || state === undefined) return;
  if (results.tableArn === state.tableArn)
    throw new InvalidOption('tables: results and state are one table. Give two: their keys differ.');
  const idle = OF_MADE_TABLES.find((field) => props[field] !== undefined);
  if (idle !== undefined)
    throw new InvalidOption(
      `${idle}: given, and the service makes neither table. Set it where the tables are made, and leave it out.`,
    );
}

function validateTable(scope: Construct, name: keyof ExistingTables, table: ITable): void {
  if (typeof table !== 'object' || table === null || !('tableArn' in table))
    throw new InvalidOption(`tables.${name}: ${shown(table)} given; a Table or TableV2 of aws-dynamodb is allowed.`);
  const stack = Stack.of(scope);
  // CDK takes an imported table for one of the stack's own place, whatever its ARN says.
  const place: Partial<Record<'region' | 'account', string>> = Token.isUnresolved(table.tableArn)
    ? table.env
    : Arn.split(table.tableArn, ArnFormat.SLASH_RESOURCE_NAME);
  for (const field of ['region', 'account'] as const)
    if (Token.compareStrings(place[field] ?? '', stack[field]) === TokenComparison.DIFFERENT)
      throw new InvalidOption(
        `tables.${name}: the table's ${field} is ${place[field]}, and the service's ${stack[field]}. Give a table of the same: it is called by its name.`,
      );
  const { defaultChild } = table.node;
  // Of a table that is made elsewhere nothing can be seen here.
  if (!(defaultChild instanceof CfnTable || defaultChild instanceof CfnGlobalTable)) return;
  const seen = keysOf(defaultChild);
  const wanted = KEYS[name].map((key) => `${key} (S)`).join(', ');
  if (seen !== wanted)
    throw new InvalidOption(`tables.${name}: its key is ${seen}; it must be ${wanted}. Make a table with these keys.`);
  const expiry = Stack.of(table).resolve(defaultChild.timeToLiveSpecification) as
    | { readonly attributeName?: string; readonly enabled?: boolean }
    | undefined;
  if (expiry?.attributeName !== EXPIRY || expiry.enabled !== true)
    throw new InvalidOption(
      `tables.${name}: it must expire items by the attribute '${EXPIRY}', and ${expiry === undefined ? 'expires none' : `expires by ${shown(expiry.attributeName)}`}. Set timeToLiveAttribute: '${EXPIRY}'.`,
    );
}

function keysOf(table: CfnTable | CfnGlobalTable): string {
  const { keySchema, attributeDefinitions } = Stack.of(table).resolve({
    keySchema: table.keySchema,
    attributeDefinitions: table.attributeDefinitions,
  }) as {
    readonly keySchema: readonly { readonly attributeName: string }[];
    readonly attributeDefinitions: readonly { readonly attributeName: string; readonly attributeType: string }[];
  };
  const types = new Map(attributeDefinitions.map((each) => [each.attributeName, each.attributeType]));
  return keySchema.map(({ attributeName }) => `${attributeName} (${types.get(attributeName) ?? '?'})`).join(', ');
}
