/** What the tests of templates share: an app without bundling, a function that calls, the policies of a template. */
import { App, type Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { Code, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';

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
