/** What the tests of templates share: an app without bundling, a function that calls, the policies of a template. */
import { App, type Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { Code, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';

import { type ServiceFields, serviceVariable } from '../../lib/options/service-variable.ts';

export const ENTRY = 'examples/blog/tasks.ts';

/** Bundling is left out, and CDK's own check of templates, which takes seconds: these tests look at the template. */
export function newApp(context: Record<string, unknown> = {}): App {
  return new App({
    context: { 'aws:cdk:bundling-stacks': [], ...context },
    builtinCloudFormationValidation: false,
  });
}

export function newCaller(stack: Stack, id = 'Caller'): LambdaFn {
  return new LambdaFn(stack, id, {
    runtime: Runtime.NODEJS_24_X,
    handler: 'i.h',
    code: Code.fromInline('exports.h = async () => {}'),
  });
}

export interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Effect: string;
  readonly Condition?: Readonly<Record<string, unknown>>;
}

export interface Policy {
  readonly logicalId: string;
  readonly statements: readonly Statement[];
}

export function policies(template: Template): Policy[] {
  return Object.entries(template.findResources('AWS::IAM::Policy')).map(([logicalId, resource]) => ({
    logicalId,
    statements: (resource as { Properties: { PolicyDocument: { Statement: Statement[] } } }).Properties.PolicyDocument
      .Statement,
  }));
}

export function statementsOf(template: Template, pattern: RegExp): readonly Statement[] {
  return policies(template).find(({ logicalId }) => pattern.test(logicalId))?.statements ?? [];
}

/** A value of a template as text: `<LogicalId.Attribute>` in the place of what only the deployment knows. */
export function rendered(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Readonly<Record<string, unknown>>;
  if (Ref !== undefined) return `<${Ref as string}>`;
  if (attribute !== undefined) return `<${(attribute as string[]).join('.')}>`;
  const [separator, parts] = join as [string, unknown[]];
  return parts.map(rendered).join(separator);
}

/** The variables of every function that is told of an app's service. */
export function variablesOf(template: Template, app: string): Readonly<Record<string, unknown>>[] {
  const functions = Object.values(template.findResources('AWS::Lambda::Function')) as {
    readonly Properties: { readonly Environment?: { readonly Variables: Readonly<Record<string, unknown>> } };
  }[];
  return functions
    .map(({ Properties }) => Properties.Environment?.Variables ?? {})
    .filter((variables) => serviceVariable(app) in variables);
}

/** What every function is told of an app's service. */
export function toldOf(template: Template, app: string): ServiceFields[] {
  return variablesOf(template, app).map((variables) => toldIn(variables, app));
}

export function toldIn(variables: Readonly<Record<string, unknown>>, app: string): ServiceFields {
  return JSON.parse(rendered(variables[serviceVariable(app)])) as ServiceFields;
}
