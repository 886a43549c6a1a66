/** `celeriac synth`: a service as a template, for whatever deploys CloudFormation. */
import { Option } from 'commander';

import type { Celeriac } from '../../app/app.ts';
import { errorText, read } from '../../base/error-text.ts';
import { ImproperlyConfigured } from '../../base/errors.ts';
import type { CommandModule } from '../command.ts';
import { UsageError } from '../failures.ts';
import type { Terminal } from '../terminal.ts';
import { notes } from '../tools.ts';
import { appOfEntry } from '../../dev/user-module.ts';

interface SynthOptions {
  readonly app: string;
  readonly out: string;
  readonly format: string;
  readonly stackName?: string;
  readonly queueNamePrefix?: string;
  readonly preset: string;
  readonly alarms: boolean;
}

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
export const synth: CommandModule = {
  define(command, { terminal }) {
    command
      .description(
        'Writes a service as a CloudFormation template and its code beside it: template.json and code/ in one folder.',
      )
      .requiredOption('-A, --app <path>', 'the module that exports the app; it is bundled into the functions')
      .option('--out <folder>', 'where the template goes', 'celeriac.out')
      .option(
        '--stack-name <name>',
        'tells the service from others of the app: names of rules and of the SSM parameter (default: <app>-tasks)',
      )
      .addOption(
        new Option('--preset <preset>', 'development, where nothing is worth keeping, or production')
          .choices(['development', 'production'])
          .default('production'),
      )
      .option('--queue-name-prefix <text>', "fixed queue names, as Celery's queue_name_prefix makes them")
      .option('--no-alarms', 'leaves the alarms out, which are paid by the metric')
      .addOption(
        new Option('--format <format>', 'the only one: Terraform and others deploy it as a stack')
          .choices(['cloudformation'])
          .default('cloudformation'),
      )
      .addHelpText(
        'after',
        `${notes(['synth --app src/tasks.ts', 'synth --app src/tasks.ts --preset development --no-alarms'])}\n\nEvery other property of TaskService: call synthesizeTemplate of celeriac/infra.`,
      )
      .action((options: SynthOptions) => synthesize(options, terminal));
  },
};

async function synthesize(options: SynthOptions, terminal: Terminal): Promise<void> {
  const { app, out, preset, stackName: given, queueNamePrefix: prefix } = options;
  if (given !== undefined) checkStackName(given);
  const { synthesizeTemplate } = await infra();
  const loaded = await appOfEntry(app);
  const stackName = checkStackName(given ?? `${loaded.name.replaceAll(/[^A-Za-z0-9-]+/g, '-')}-tasks`);
  const made = synthesizeTemplate(
    {
      app: loaded,
      entry: app,
      preset: preset === 'development' ? 'development' : 'production',
      ...(prefix === undefined ? {} : { queueNamePrefix: prefix }),
      ...(options.alarms ? {} : { alarms: false }),
      // Two services of one app would write one parameter.
      ...(given === undefined ? {} : { parameterName: `/celeriac/${given}` }),
    },
    { out, stackName },
  );
  for (const message of made.messages) terminal.print(message);
  tell(made, { out, stackName }, terminal);
}

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
