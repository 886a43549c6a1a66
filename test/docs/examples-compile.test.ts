/** Every TypeScript block of every page and of every doc comment compiles, with the settings of a project that `cdk init` makes. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { examplesOf, exportsOf } from '../tidy/doc-comments.ts';

/** What stands before a block that shows a part: what the text around it has told. By page and first line. */
const BEFORE: Readonly<Record<string, string>> = {
  'README.md // anywhere': `import { add, crawl } from './tasks.ts';`,
  'README.md // stack.ts': 'declare const apiFunction: import("aws-cdk-lib/aws-lambda").Function;',
  'canvas.md // use.ts': `import { chain, chord, group } from 'celeriac';\nimport { add, fetchPage, parse, store, sum, tell } from './shop.ts';`,
  'canvas.md // results.ts': `import { group } from 'celeriac';\nimport { add } from './shop.ts';`,
  'canvas.md // counted.ts': `import { group } from 'celeriac';\nimport { fetchPage } from './shop.ts';`,
  'canvas.md // sets.ts': `import { group, ResultSet } from 'celeriac';\nimport { add } from './shop.ts';`,
  'celery.md // stack.ts': `import { CfnOutput, Stack } from 'aws-cdk-lib';\nimport { TaskService } from 'celeriac/infra';\nimport { app } from './app.ts';\ndeclare const pythonRole: import("aws-cdk-lib/aws-iam").IRole;`,
  'celery.md // use.ts': `import { chain, chord, typed } from 'celeriac';\nimport { app, index, invoice, resize } from './app.ts';`,
  'dead-letters.md // letters.ts': `import { Celeriac } from 'celeriac';\nconst app = new Celeriac('shop');`,
  "deploy.md import { RemovalPolicy, Duration } from 'aws-cdk-lib';":
    'declare const apiFunction: import("aws-cdk-lib/aws-lambda").Function;\ndeclare const adminFunction: typeof apiFunction;\ndeclare const celeryRole: import("aws-cdk-lib/aws-iam").IRole;',
  "deploy.md import { Duration } from 'aws-cdk-lib';": `import { TaskService } from 'celeriac/infra';\nimport { app } from './src/tasks.ts';`,
  "deploy.md new TaskService(this, 'Tasks', {": `import { Queue } from 'aws-cdk-lib/aws-sqs';\nimport { TaskService } from 'celeriac/infra';\nimport { app } from './src/tasks.ts';`,
  "deploy.md const reports = new TaskService(this, 'Reports', {": `import { Duration } from 'aws-cdk-lib';\nimport { Tracing } from 'aws-cdk-lib/aws-lambda';\nimport { TaskService } from 'celeriac/infra';\nimport { app } from './src/tasks.ts';\ndeclare const vpc: import('aws-cdk-lib/aws-ec2').IVpc;\ndeclare const database: import('aws-cdk-lib/aws-secretsmanager').ISecret;`,
  'deploy.md service.grantCelery(taskRole); // of the container or function that runs Celery': `import { CfnOutput } from 'aws-cdk-lib';\ndeclare const service: import('celeriac/infra').TaskService;\ndeclare const taskRole: import("aws-cdk-lib/aws-iam").IRole;`,
  "logging.md export const charge = app.task('orders.charge', { bind: true }, async (self, orderId: string) => {": `import { Celeriac } from 'celeriac';\nconst app = new Celeriac('shop');`,
  'permissions.md service.grantEnqueue(apiFunction); // send':
    'declare const service: import("celeriac/infra").TaskService;\ndeclare const apiFunction: import("aws-cdk-lib/aws-lambda").Function;\ndeclare const adminFunction: typeof apiFunction;\ndeclare const celeryRole: import("aws-cdk-lib/aws-iam").IRole;',
  'schedules.md // edit.ts': `import { clocked, describeSchedule, every } from 'celeriac';\nimport { app, note } from './beat.ts';`,
};

interface Block {
  readonly page: string;
  readonly head: string;
  readonly code: string;
}

const PAGES = ['README.md', ...readdirSync('docs').flatMap((file) => (file.endsWith('.md') ? [`docs/${file}`] : []))];
const blocks: readonly Block[] = PAGES.flatMap((path) =>
  [...readFileSync(path, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => ({
    page: path.replace('docs/', ''),
    head: code.split('\n')[0] ?? '',
    code,
  })),
);

/** Imports stay at the top of a file; what is built in a construct goes into one. */
function fileOf({ page, head, code }: Block): string {
  const before = BEFORE[`${page} ${head}`] ?? '';
  if (!/\bthis[,.]/.test(code) || code.includes('class ')) return `${before}\n${code}\nexport {};\n`;
  const imports = code.match(/^import .*;$/gm) ?? [];
  const rest = code.replace(/^import .*;$/gm, '');
  return `${before}\n${imports.join('\n')}\nexport function build(this: import('aws-cdk-lib').Stack) {\n${rest}\n}\n`;
}

/** What examples of doc comments may name: a shop's app and tasks, and what a test or a stack has at hand. By name. */
const AT_HAND: Readonly<Record<string, string>> = {
  app: `import { app } from './shop.ts';`,
  add: `import { add } from './shop.ts';`,
  sum: `import { sum } from './shop.ts';`,
  count: `import { count } from './shop.ts';`,
  crawl: `import { crawl } from './shop.ts';`,
  charge: `import { charge } from './shop.ts';`,
  fetchPage: `import { fetchPage } from './shop.ts';`,
  parse: `import { parse } from './shop.ts';`,
  store: `import { store } from './shop.ts';`,
  url: `const url = 'https://example.com';`,
  id: `const id = 'page';`,
  ids: `const ids = ['first', 'second'];`,
  result: `declare const result: import('celeriac').AsyncResult<number>;`,
  world: `declare const world: import('celeriac/testing').World;`,
  service: `declare const service: import('celeriac/infra').TaskService;`,
  apiFunction: `declare const apiFunction: import('aws-cdk-lib/aws-lambda').Function;`,
  vpc: `declare const vpc: import('aws-cdk-lib/aws-ec2').IVpc;`,
  bank: `declare const bank: { host: string };`,
  paymentKey: `declare const paymentKey: import('aws-cdk-lib/aws-secretsmanager').ISecret;`,
  key: `declare const key: import('aws-cdk-lib/aws-kms').IKey;`,
  containerRole: `declare const containerRole: import('aws-cdk-lib/aws-iam').IRole;`,
};
const SHOP = `import { Celeriac, type TypedValue } from 'celeriac';
export const app = new Celeriac('shop', { queues: { default: {}, mail: {}, celery: { external: true } } });
export const add = app.task('math.add', (x: number, y: number) => x + y);
export const sum = app.task('math.sum', (numbers: number[]) => numbers.length);
export const count = app.task('shop.count', (text: string) => text.length);
export const crawl = app.task('shop.crawl', (url: string) => url.length);
export const fetchPage = app.task('shop.fetchPage', (url: string) => url);
export const parse = app.task('shop.parse', (text: string) => text.length);
export const store = app.task('shop.store', (id: string) => id.length);
export const charge = app.remote<(amount: TypedValue, day: TypedValue) => string>('proj.charge', { queue: 'celery' });
`;
const ENTRIES = {
  celeriac: 'lib/index.ts',
  'celeriac/codec': 'lib/codec/index.ts',
  'celeriac/testing': 'lib/testing/index.ts',
  'celeriac/infra': 'infra/index.ts',
};
const EXPORTED = new Map(
  Object.entries(ENTRIES).flatMap(([entry, path]) =>
    exportsOf({ path, text: readFileSync(path, 'utf8') }).map(({ name }) => [name, entry] as const),
  ),
);
const examples = globSync('{lib,infra,handlers}/**/*.ts').flatMap((path) =>
  examplesOf(readFileSync(path, 'utf8')).map((code, index) => ({ path: path.replaceAll('\\', '/'), code, index })),
);

/** An example with what it does not declare itself: imports of the package, and what is at hand. */
function fileOfExample(code: string): string {
  const plain = code.replace(/\/\/.*|'[^']*'|`[^`]*`|\.{3}/g, ' ');
  const names = new Set(plain.match(/(?<![.\w])[A-Za-z_]\w*(?!\w|:)/g));
  const own = (name: string): boolean =>
    new RegExp(`\\b(?:const|using|class|import \\{[^}]*) ?${name}\\b|import .*\\b${name}\\b`).test(code);
  const needed = [...names].filter((name) => !own(name));
  const before = needed.flatMap((name) => {
    const entry = EXPORTED.get(name);
    if (entry !== undefined) return `import { ${name} } from '${entry}';`;
    return Object.hasOwn(AT_HAND, name) ? (AT_HAND[name] ?? []) : [];
  });
  return `${before.join('\n')}
${fileOf({ page: '', head: '', code })}`;
}

mkdirSync('.vitest', { recursive: true });
const folder = resolve(mkdtempSync('.vitest/compile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compile(): string {
  const counts = new Map<string, number>();
  for (const block of blocks) {
    const place = `${folder}/${block.page.replace('.md', '')}`;
    const named = /^\/\/ (\S+\.ts)$/.exec(block.head)?.[1];
    const count = (counts.get(block.page) ?? 0) + 1;
    counts.set(block.page, count);
    mkdirSync(`${place}/src`, { recursive: true });
    writeFileSync(
      `${place}/src/tasks.ts`,
      "import { Celeriac } from 'celeriac';\nexport const app = new Celeriac('shop');\n",
    );
    writeFileSync(`${place}/${named ?? `block-${count}.ts`}`, fileOf(block));
  }
  mkdirSync(`${folder}/comments`);
  writeFileSync(`${folder}/comments/shop.ts`, SHOP);
  for (const { path, code, index } of examples)
    writeFileSync(
      `${folder}/comments/${path.replaceAll('/', '-').replace('.ts', '')}-${index}.ts`,
      fileOfExample(code),
    );
  // The one client that a page imports and this repository does without.
  writeFileSync(
    `${folder}/secrets-manager.d.ts`,
    `declare module '@aws-sdk/client-secrets-manager' {
  export class GetSecretValueCommand { constructor(input: { SecretId: string }); }
  export class SecretsManagerClient {
    constructor(options: object);
    send(command: GetSecretValueCommand): Promise<{ SecretString?: string }>;
  }
}
`,
  );
  const init = JSON.parse(
    readFileSync('node_modules/aws-cdk/lib/init-templates/app/typescript/tsconfig.json', 'utf8'),
  ) as { readonly compilerOptions: Readonly<Record<string, unknown>> };
  const own = JSON.parse(readFileSync('tsconfig.base.json', 'utf8')) as typeof init;
  const { lib, target, customConditions } = own.compilerOptions;
  const compilerOptions = {
    ...init.compilerOptions,
    // The library is compiled with them, from its sources; the one line that README asks for; this repository's test runner.
    lib,
    target,
    customConditions,
    allowImportingTsExtensions: true,
    typeRoots: undefined,
    types: ['node'],
  };
  writeFileSync(
    `${folder}/tsconfig.json`,
    JSON.stringify({ compilerOptions, include: ['**/*.ts', resolve('lib/local/dynalite.d.ts')] }),
  );
  try {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder], { encoding: 'utf8' });
    return '';
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}

describe('blocks of the pages and of doc comments', () => {
  it('compile', () => {
    expect(compile()).toBe('');
  });

  it('what stands before a block has its block', () => {
    const heads = new Set(blocks.map(({ page, head }) => `${page} ${head}`));
    expect(Object.keys(BEFORE).filter((key) => !heads.has(key))).toEqual([]);
    expect(blocks.length).toBeGreaterThan(30);
  });

  it('what people look up first has an example', () => {
    const shown = examples.map(({ code }) => code).join('\n');
    const calls = [
      'delay',
      'applyAsync',
      'get',
      'join',
      'retry',
      'progress',
      'beat',
      'schedules.put',
      'advance',
      'grantEnqueue',
    ];
    expect(calls.filter((call) => !shown.includes(`.${call}(`))).toEqual([]);
    const names = [
      'chain',
      'group',
      'chord',
      'enqueue',
      'enqueueMany',
      'crontab',
      'every',
      'new World',
      'new TaskService',
    ];
    expect(names.filter((name) => !shown.includes(`${name}(`))).toEqual([]);
  });
});
