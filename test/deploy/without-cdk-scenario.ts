/** docs/without-cdk.md, done: its commands deploy README's tasks with tools other than CDK, as a stack and within a template of SAM. */
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Emulator } from './emulator.ts';
import { LambdaApi } from './lambda-api.ts';
import { leftovers } from './leftovers.ts';
import { run } from './processes.ts';
import { equal, type Report, until } from './report.ts';

export interface WithoutCdkParts {
  readonly report: Report;
  readonly emulator: Emulator;
  /** Folder of the program `aws`. */
  readonly awsCli: string;
  /** Gives roles what they have on AWS without being told. */
  readonly asOnAws: () => Promise<void>;
}

const BUCKET = 'shop-templates';
const VARIABLE = 'CELERIAC_SERVICE_SHOP';
const DELETED_SECONDS = 60;
// A virtual environment with SAM's own CLI: `python3 -m venv .sam && .sam/bin/pip install -r test/deploy/sam-requirements.txt`.
const SAM = '.sam/bin';

/** It changes no variable of this process: other scenarios go on beside it. */
export async function withoutCdkScenario({ report, emulator, awsCli, asOnAws }: WithoutCdkParts): Promise<void> {
  const folder = shopProject(emulator.folder);
  const environment = {
    ...emulator.environment,
    AWS_CA_BUNDLE: emulator.environment['NODE_EXTRA_CA_CERTS'] ?? '',
    SAM_CLI_TELEMETRY: '0',
    BUCKET,
    PATH: [awsCli, resolve(SAM), emulator.environment['PATH'] ?? ''].join(':'),
  };
  const type = (line: string): Promise<string> => run(`cd ${folder} && ${line}`, environment);
  const typed = new Set<string>();
  const follow = async (heading: string): Promise<void> => {
    for (const line of linesOf(heading).filter((each) => !typed.has(each))) {
      typed.add(line);
      // The page has the same for both: one of them makes the stack.
      const isOther = heading === 'SAM' && line.startsWith(existsSync(SAM) ? 'aws ' : 'sam ');
      if (isOther) report.note(`Not run, since ${SAM} is ${existsSync(SAM) ? '' : 'not '}there: ${line}`);
      else await report.needed(line, async () => void (await type(line)));
    }
    await asOnAws();
  };
  const asked = async (service: string, code: string): Promise<string> => {
    const script = `import { app, add } from './src/tasks.ts'; console.log(await (await ${code}).get({ timeout: 120 }));`;
    const node = `node --conditions=@celeriac/source --input-type=module`;
    return (await run(`cd ${folder} && ${node} -e ${quoted(script)}`, { ...environment, [VARIABLE]: service })).trim();
  };

  await type(`aws s3 mb s3://${BUCKET}`);
  await follow('A template');
  await report.step('a task, of a stack that no CDK has deployed', async () => {
    const output = "Stacks[0].Outputs[?OutputKey=='CeleriacServiceShop'].OutputValue";
    const told = await type(
      `aws cloudformation describe-stacks --stack-name shop-tasks --output text --query ${quoted(output)}`,
    );
    equal(await asked(told.trim(), 'add.delay(2, 3)'), '5');
  });
  await report.step('a deleted stack leaves its tables, and nothing else', async () => {
    await type('aws cloudformation delete-stack --stack-name shop-tasks');
    equal((await tablesAlone(emulator, 'shop-tasks')).length, 2);
  });
  await follow('SAM');
  await report.step("SAM's function sends, a worker of the nested stack runs", async () => {
    const lambda = new LambdaApi(emulator.endpoint);
    const { FunctionName, Environment } = await lambda.function('shop-Api');
    const answer = (await lambda.invoke(FunctionName, {})) as { readonly statusCode: number; readonly body: string };
    equal(answer.statusCode, 202, JSON.stringify(answer));
    equal(await asked(Environment?.Variables?.[VARIABLE] ?? '', `app.result(${JSON.stringify(answer.body)})`), '5');
  });
  await report.step('the nested stack is deleted with the other', async () => {
    await type('aws cloudformation delete-stack --stack-name shop');
    // MiniStack deletes the tables of a nested stack; AWS keeps them.
    await tablesAlone(emulator, 'shop-');
  });
}

/** Waits until nothing else is left of this name, but the bucket that the page's reader has. */
function tablesAlone({ endpoint }: Emulator, part: string): Promise<string[]> {
  return until(
    `tables alone are left of ${part}`,
    () => leftovers(endpoint, part),
    (left) => left.every((name) => name.startsWith('table ') || name === `bucket ${BUCKET}`),
    DELETED_SECONDS,
  );
}

/** For bash, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The commands under a heading of the page. */
function linesOf(heading: string): string[] {
  const page = readFileSync('docs/without-cdk.md', 'utf8');
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const lines = [...section.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.trim().split('\n'));
  if (lines.length === 0) throw new Error(`docs/without-cdk.md has no commands under '${heading}'.`);
  return lines;
}

/** A block of a page by its first line. */
function block(path: string, pattern: RegExp): string {
  const found = [...readFileSync(path, 'utf8').matchAll(/```\w+\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  const text = found.find((each) => pattern.test(each));
  if (text === undefined) throw new Error(`${path} has no block like ${String(pattern)}.`);
  return text;
}

/** A project as a user has it; instead of the built package it has these sources. */
function shopProject(parent: string): string {
  const folder = join(parent, 'shop');
  mkdirSync(join(folder, 'src'), { recursive: true });
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "shop", "type": "module" }\n');
  writeFileSync(join(folder, 'src/tasks.ts'), block('README.md', /^\/\/ tasks\.ts/));
  writeFileSync(join(folder, 'src/api.ts'), block('README.md', /^import \{ enqueue \}/));
  writeFileSync(join(folder, 'template.yaml'), block('docs/without-cdk.md', /^# template\.yaml/));
  symlinkSync(resolve('.'), join(folder, 'node_modules/celeriac'));
  symlinkSync(resolve('node_modules/esbuild'), join(folder, 'node_modules/esbuild'));
  const program = (name: string, command: string, last = ''): void => {
    const path = join(folder, 'node_modules/.bin', name);
    writeFileSync(path, `#!/bin/sh\nexec ${command} "$@" ${last}\n`);
    chmodSync(path, 0o755);
  };
  // MiniStack takes no alarm on more than one metric.
  program('celeriac', `node --conditions=@celeriac/source ${resolve('lib/cli/main.ts')}`, '--no-alarms');
  program('esbuild', `${resolve('node_modules/.bin/esbuild')} --conditions=@celeriac/source,module`);
  return folder;
}
