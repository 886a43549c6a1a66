/** Whether statements of a template allow a recorded call: names of resources, actions, and conditions on keys. */
import type { Template } from 'aws-cdk-lib/assertions';

import type { AwsCall } from '../support/recorded-calls.ts';
import { statementsOf, type Statement } from './stacks.ts';

interface Named {
  readonly Properties?: { readonly QueueName?: string };
}

interface Grant {
  readonly actions: readonly string[];
  readonly resources: readonly RegExp[];
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** Of the role whose policies' logical ids match, as one question. Queues have their SQS names, tables their logical ids. */
export function allowedBy(template: Template, role: RegExp): (call: AwsCall) => boolean {
  const resources = (template.toJSON() as { Resources: Readonly<Record<string, Named>> }).Resources;
  const grants = statementsOf(template, role).map((statement) => grantOf(statement, resources));
  return (call) => grants.some((grant) => allows(grant, call));
}

function grantOf(statement: Statement, resources: Readonly<Record<string, Named>>): Grant {
  const { Action, Resource, Effect, Condition = {} } = statement;
  if (Effect !== 'Allow') throw new Error(`only Allow is understood here: ${Effect}`);
  return {
    actions: [Action].flat(),
    resources: [Resource].flat().map((each) => wildcards(nameOf(each, resources))),
    conditions: Condition as Grant['conditions'],
  };
}

function nameOf(resource: unknown, resources: Readonly<Record<string, Named>>): string {
  if (typeof resource === 'string') return resource;
  const { 'Fn::GetAtt': attribute, 'Fn::Join': join } = resource as {
    readonly 'Fn::GetAtt'?: readonly [string, string];
    readonly 'Fn::Join'?: readonly [string, readonly unknown[]];
  };
  const logicalId = attribute?.[0];
  if (logicalId !== undefined)
    return resources[logicalId]?.Properties?.QueueName ?? logicalId.replace(/[0-9A-F]{8}$/, '');
  const last = join?.[1].at(-1);
  if (typeof last === 'string') return last.slice(last.lastIndexOf('/') + 1);
  throw new Error(`not understood here: ${JSON.stringify(resource)}`);
}

function allows({ actions, resources, conditions }: Grant, call: AwsCall): boolean {
  return (
    actions.includes(call.action) &&
    resources.some((pattern) => pattern.test(call.resource)) &&
    Object.entries(conditions).every(([operator, keys]) => holds(operator, keys, call))
  );
}

function holds(operator: string, keys: Readonly<Record<string, readonly string[]>>, call: AwsCall): boolean {
  const { 'dynamodb:LeadingKeys': wanted, ...others } = keys;
  const known = operator === 'ForAllValues:StringLike' || operator === 'ForAllValues:StringEquals';
  if (!known || wanted === undefined || Object.keys(others).length > 0)
    throw new Error(`not understood here: ${operator} ${JSON.stringify(keys)}`);
  // Of no key at all IAM says that it holds; a call of ours that names none would be one that this file reads wrongly.
  if (call.leadingKeys.length === 0) throw new Error(`${call.action} on ${call.resource} names no key`);
  const patterns = [wanted].flat().map((each) => (operator.endsWith('Like') ? wildcards(each) : literal(each)));
  return call.leadingKeys.every((key) => patterns.some((pattern) => pattern.test(key)));
}

function literal(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 's');
}

function wildcards(pattern: string): RegExp {
  return new RegExp(literal(pattern).source.replaceAll('\\*', '.*'), 's');
}
