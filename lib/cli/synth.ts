/** `celeriac synth`: a service as a template, for whatever deploys CloudFormation. */
import { parseArgs } from 'node:util';

import type { Celeriac } from '../app/app.ts';
import { errorText, read } from '../base/error-text.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { appOfModule } from './user-module.ts';

const OPTIONS = {
  app: { type: 'string' },
  out: { type: 'string', default: 'celeriac.out' },
  format: { type: 'string', default: 'cloudformation' },
  'stack-name': { type: 'string' },
  'queue-name-prefix': { type: 'string' },
  preset: { type: 'string', default: 'production' },
  'no-alarms': { type: 'boolean', default: false },
} as const;

const USAGE = `celeriac synth --app <path> [options]

Writes a service as a CloudFormation template and its code beside it: template.json and code/ in one folder.

  --app <path>                the module that exports the app; it is bundled into the functions
  --out <folder>              where the template goes (celeriac.out)
  --stack-name <name>         tells the service from others of the app: names of rules and of the SSM parameter (<app>-tasks)
  --preset <preset>           development, where nothing is worth keeping, or production (production)
  --queue-name-prefix <text>  fixed queue names, as Celery's queue_name_prefix makes them
  --no-alarms                 leaves the alarms out, which are paid by the metric
  --format cloudformation     the only one: Terraform and others deploy it as a stack

Every other property of TaskService: call synthesizeTemplate of celeriac/infra.`;

/**
 * What is used of `celeriac/infra`, which is loaded by name: the library's own settings of the compiler are stricter than the
 * types of CDK. A test holds it against the real ones.
 */
export interface Infra {
  readonly synthesizeTemplate: (
    props: {
      readonly app: Celeriac;
      readonly entry: string;
      readonly preset: 'development' | 'production';
      readonly queueNamePrefix?: string;
      readonly alarms?: false;
      readonly parameterName?: string;
    },
    options: { readonly out: string; readonly stackName: string },
  ) => {
    readonly template: { readonly Resources: object; readonly Outputs: object };
    readonly templatePath: string;
    readonly code: Readonly<Record<string, readonly string[]>>;
    readonly messages: readonly string[];
  };
}

const INFRA: string = 'celeriac/infra';

/** Writes the template of an app, and says what deploys it. */
export const synth: Command = {
  usage: USAGE,
  async run(args, terminal) {
    const { app, out, format, preset, ...names } = parsed(args);
    if (app === undefined) throw new UsageError('--app is missing: the path of the module that exports your app.');
    if (format !== 'cloudformation')
      throw new UsageError(`--format is '${format}'; cloudformation is allowed. Terraform deploys it as a stack.`);
    if (preset !== 'development' && preset !== 'production')
      throw new UsageError(`--preset is '${preset}'; development and production are allowed.`);
    const given = names['stack-name'];
    if (given !== undefined) checkStackName(given);
    const { synthesizeTemplate } = await infra();
    const loaded = await appOfModule(app);
    const stackName = checkStackName(given ?? `${loaded.name.replaceAll(/[^A-Za-z0-9-]+/g, '-')}-tasks`);
    const prefix = names['queue-name-prefix'];
    const made = synthesizeTemplate(
      {
        app: loaded,
        entry: app,
        preset,
        ...(prefix === undefined ? {} : { queueNamePrefix: prefix }),
        ...(names['no-alarms'] ? { alarms: false } : {}),
        // Two services of one app would write one parameter.
        ...(given === undefined ? {} : { parameterName: `/celeriac/${given}` }),
      },
      { out, stackName },
    );
    for (const message of made.messages) terminal.print(message);
    tell(made, { out, stackName }, terminal);
  },
};

function tell(
  { template, templatePath, code }: ReturnType<Infra['synthesizeTemplate']>,
  { out, stackName }: { readonly out: string; readonly stackName: string },
  terminal: Terminal,
): void {
  const count = (part: object): number => Object.keys(part).length;
  terminal.print(`\n${templatePath}: ${count(template.Resources)} resources, ${count(template.Outputs)} outputs`);
  for (const [path, functions] of Object.entries(code)) terminal.print(`${path}: code of ${functions.join(', ')}`);
  terminal.print(`
To deploy it, with a bucket of yours:
  aws cloudformation package --template-file ${templatePath} --s3-bucket <bucket> --output-template-file ${out}/packaged.yaml
  aws cloudformation deploy --template-file ${out}/packaged.yaml --s3-bucket <bucket> --stack-name ${stackName} --capabilities CAPABILITY_IAM`);
}

/** @throws UsageError for what CloudFormation takes for no name of a stack. */
function checkStackName(name: string): string {
  if (/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(name)) return name;
  throw new UsageError(
    `--stack-name is '${name}'; letters, digits and hyphens are allowed, 128 at most, a letter first.`,
  );
}

function parsed(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'] {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(errorText(error).message);
  }
}

/** Loaded by this command alone: the others need no CDK. @throws ImproperlyConfigured where it is not installed. */
async function infra(): Promise<Infra> {
  try {
    return (await import(INFRA)) as Infra;
  } catch (error) {
    const { message } = errorText(error);
    const isMissing = typeof error === 'object' && error !== null && read(error, 'code') === 'ERR_MODULE_NOT_FOUND';
    if (!isMissing || !/'(?:aws-cdk-lib|constructs)/.test(message)) throw error;
    throw new ImproperlyConfigured(
      'The template is made with aws-cdk-lib, constructs and esbuild, which are not all installed: npm i -D aws-cdk-lib constructs esbuild. No CDK deploys it.',
      { cause: error },
    );
  }
}
