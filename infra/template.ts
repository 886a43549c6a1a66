/** A service as a CloudFormation template and folders of code: for SAM, Terraform, Serverless and whatever else deploys one. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App, Stack } from 'aws-cdk-lib';
import { SynthesisMessageLevel } from 'aws-cdk-lib/cx-api';

import { ImproperlyConfigured } from '../lib/base/errors.ts';
import { LocalCodeSynthesizer, withLocalPaths } from './local-code.ts';
import { TaskService, type TaskServiceProps } from './task-service.ts';
import { addOutputs } from './template-outputs.ts';

/** Where a template goes. */
export interface TemplateOptions {
  /** Folder of `template.json` and of `code`; made where it is missing. */
  readonly out: string;
  /**
   * The name of the stack, or another that tells this service from others of the account and region: names of rules hold a
   * hash of it.
   */
  readonly stackName: string;
  /** Adds to the stack before the template is written: rights of a worker, an alarm, an output. */
  readonly extend?: (service: TaskService, stack: Stack) => void;
}

/** A template of CloudFormation, as plain data. */
export interface CloudFormationTemplate {
  /** What is made, by logical id. */
  readonly Resources: Readonly<Record<string, CloudFormationResource>>;
  /** What the stack tells of itself. */
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown; readonly Description?: string }>>;
  /** What whoever deploys may set; absent: nothing. */
  readonly Parameters?: Readonly<Record<string, unknown>>;
}

/** A part of a template. */
export interface CloudFormationResource {
  /** As in `AWS::SQS::Queue`. */
  readonly Type: string;
  /** Its settings; absent where all are defaults. */
  readonly Properties?: Readonly<Record<string, unknown>>;
  /** What CloudFormation ignores and tools read. */
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** What `synthesizeTemplate` has written. */
export interface SynthesizedTemplate {
  /** The template itself. */
  readonly template: CloudFormationTemplate;
  /** Path of the template. */
  readonly templatePath: string;
  /** Paths of the code that the template refers to, each with the logical ids of the functions that run it. */
  readonly code: Readonly<Record<string, readonly string[]>>;
  /** What CDK would print: schedule entries, warnings. */
  readonly messages: readonly string[];
}

// Those of a new project of `cdk init` that change what a service is made of.
const FEATURES = {
  '@aws-cdk/aws-lambda:useCdkManagedLogGroup': true,
  '@aws-cdk/aws-iam:minimizePolicies': true,
  '@aws-cdk/core:checkSecretUsage': true,
  '@aws-cdk/core:target-partitions': ['aws', 'aws-cn'],
};

// What `sam validate --lint` would warn of: code that is packaged first (W3002), and CDK's dependencies, of which a reference makes
// some superfluous (W3005).
const IGNORED_CHECKS = ['W3002', 'W3005'];

/**
 * Writes a service as a template, and its code beside it: no CDK deploys it, and no account need be bootstrapped for it.
 *
 * @example
 * ```ts
 * synthesizeTemplate({ app, entry: 'src/tasks.ts' }, { out: 'build/tasks', stackName: 'shop-tasks' });
 * ```
 * @param props of the service; a function of the stack where they hold constructs, as `externalQueues` do.
 * @throws ImproperlyConfigured, InvalidOption, QueueNotFound, as `TaskService` does; ImproperlyConfigured for assets other than code.
 */
export function synthesizeTemplate(
  props: TaskServiceProps | ((stack: Stack) => TaskServiceProps),
  options: TemplateOptions,
): SynthesizedTemplate {
  const assembly = mkdtempSync(join(tmpdir(), 'celeriac-template-'));
  try {
    return written(props, options, assembly);
  } finally {
    rmSync(assembly, { recursive: true, force: true });
  }
}

function written(
  props: TaskServiceProps | ((stack: Stack) => TaskServiceProps),
  options: TemplateOptions,
  outdir: string,
): SynthesizedTemplate {
  const { out } = options;
  const app = new App({ outdir, context: FEATURES, analyticsReporting: false, treeMetadata: false });
  const { stack, code } = templateStack(app, props, options);
  const artifact = app.synth().getStackArtifact(stack.artifactId);
  const messages = artifact.messages.map(({ level, entry }) => ({ level, text: textOf(entry.data) }));
  const errors = messages.filter(({ level }) => level === SynthesisMessageLevel.ERROR);
  if (errors.length > 0) throw new ImproperlyConfigured(errors.map(({ text }) => text).join('\n'));
  const template = withLocalPaths(artifact.template as CloudFormationTemplate, (hash) => code.pathOf(hash));
  mkdirSync(out, { recursive: true });
  for (const [hash, file] of code.files) cpSync(join(outdir, file), join(out, code.pathOf(hash)), { recursive: true });
  const templatePath = join(out, 'template.json');
  writeFileSync(templatePath, `${JSON.stringify(template, undefined, 1)}\n`);
  return { template, templatePath, code: codeOf(template, out), messages: messages.map(({ text }) => text) };
}

/** The stack of a template, before it is written. */
export function templateStack(
  app: App,
  props: TaskServiceProps | ((stack: Stack) => TaskServiceProps),
  { stackName, extend }: Omit<TemplateOptions, 'out'>,
): { readonly stack: Stack; readonly code: LocalCodeSynthesizer } {
  const code = new LocalCodeSynthesizer();
  const stack = new Stack(app, 'Template', { synthesizer: code, stackName });
  stack.templateOptions.metadata = { 'cfn-lint': { config: { ignore_checks: IGNORED_CHECKS } } };
  const service = new TaskService(stack, 'Tasks', typeof props === 'function' ? props(stack) : props);
  addOutputs(stack, service);
  extend?.(service, stack);
  return { stack, code };
}

/** Without the id that CDK puts behind a message, for its own command to switch it off. */
function textOf(data: unknown): string {
  return String(data).replace(/ \[ack: [^\]]*\]$/, '');
}

function codeOf({ Resources }: CloudFormationTemplate, out: string): Readonly<Record<string, readonly string[]>> {
  const users = new Map<string, string[]>();
  for (const [id, { Properties }] of Object.entries(Resources)) {
    const code = Properties?.['Code'];
    if (typeof code === 'string') users.set(join(out, code), [...(users.get(join(out, code)) ?? []), id]);
  }
  return Object.fromEntries(users);
}
