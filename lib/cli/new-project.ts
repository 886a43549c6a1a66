/** What `celeriac init` writes: the files of a project, as text. Pure. */

/** What is there already. */
export interface ProjectBefore {
  /** Name of the folder. */
  readonly folder: string;
  /** Text of package.json; undefined where there is none. */
  readonly packageJson: string | undefined;
  /** Paths of files that are there. */
  readonly exists: (path: string) => boolean;
}

/** A file to be written, or one that is left as it is. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  /** `kept`: it is there already, and stays as it is. */
  readonly action: 'written' | 'changed' | 'kept';
}

/** Versions that a new project takes. */
export interface Versions {
  /** Of Celeriac itself. */
  readonly celeriac: string;
  /** What it needs beside it, by name: ranges. */
  readonly others: Readonly<Record<string, string>>;
}

/** What runs only on the developer's machine. */
export const DEVELOPMENT: readonly string[] = [
  'aws-cdk',
  'aws-cdk-lib',
  'constructs',
  'dynalite',
  'esbuild',
  'fauxqs',
  'tsx',
  'typescript',
];

const FOLDER = 'src/tasks';
const SCRIPTS = { demo: 'tsx src/demo.ts', deploy: 'cdk deploy' } as const;

type Json = Record<string, unknown>;

/** @throws SyntaxError for a package.json that is no JSON */
export function projectFiles(before: ProjectBefore, versions: Versions): PlannedFile[] {
  const name = appName(before);
  // Who has a folder of tasks needs no module beside it that has the same name.
  const hasFolder = before.exists(FOLDER) && !before.exists('src/tasks.ts');
  const files: readonly (readonly [path: string, text: string])[] = [
    ...(hasFolder
      ? []
      : ([
          ['src/tasks.ts', tasks(name)],
          ['src/demo.ts', DEMO],
        ] as const)),
    ['infra/stack.ts', hasFolder ? stackOfFolder(name) : stack(name)],
    ['cdk.json', `${JSON.stringify({ app: 'tsx infra/stack.ts' }, null, 2)}\n`],
    ['tsconfig.json', TSCONFIG],
  ];
  return [
    packageFile(before, name, versions, hasFolder ? { demo: `celeriac dev --app ${FOLDER}` } : {}),
    ...files.map(([path, text]): PlannedFile => ({ path, text, action: before.exists(path) ? 'kept' : 'written' })),
  ];
}

/** Letters, digits, `.`, `_` and `-` of the package's name, without its scope. */
function appName({ folder, packageJson }: ProjectBefore): string {
  const { name } = packageJson === undefined ? {} : (JSON.parse(packageJson) as { readonly name?: unknown });
  const given = typeof name === 'string' ? name.replace(/^@[^/]*\//, '') : folder;
  return given.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[^A-Za-z]+|-+$/g, '') || 'app';
}

/** What somebody has said stays: only what is missing is added. */
function packageFile({ packageJson }: ProjectBefore, name: string, versions: Versions, scripts: Json): PlannedFile {
  const given = packageJson === undefined ? undefined : (JSON.parse(packageJson) as Json);
  const base: Json = given ?? { name: name.toLowerCase(), version: '0.0.0', private: true, type: 'module' };
  const own = (field: string): Json => (base[field] ?? {}) as Json;
  const has = (dependency: string): boolean =>
    dependency in own('dependencies') || dependency in own('devDependencies');
  const development = DEVELOPMENT.filter((dependency) => !has(dependency)).map((dependency) => [
    dependency,
    versions.others[dependency] ?? '*',
  ]);
  const next = {
    ...base,
    scripts: { ...SCRIPTS, ...scripts, ...own('scripts') },
    dependencies: { ...own('dependencies'), ...(has('celeriac') ? {} : { celeriac: `^${versions.celeriac}` }) },
    devDependencies: { ...own('devDependencies'), ...(Object.fromEntries(development) as Json) },
  };
  const text = `${JSON.stringify(next, null, 2)}\n`;
  const isSame = given !== undefined && JSON.stringify(given) === JSON.stringify(next);
  return { path: 'package.json', text, action: isSame ? 'kept' : given === undefined ? 'written' : 'changed' };
}

function tasks(name: string): string {
  return `import { Celeriac } from 'celeriac';

export const app = new Celeriac('${name}', { queues: { default: {} } });

export const add = app.task('math.add', (x: number, y: number) => x + y);
`;
}

const DEMO = `// npm run demo: the app on the embedded cloud, on this machine. Nothing of it reaches AWS.
import { LocalCloud } from 'celeriac/local';
import { add, app } from './tasks.ts';

const cloud = await LocalCloud.start(app);
const result = await add.delay(2, 3);
console.log('math.add(2, 3) =', await result.get({ timeout: 30 }));
await cloud.stop();
`;

function idOf(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function stackOfFolder(name: string): string {
  return `import { App, Stack } from 'aws-cdk-lib';
import { loadApp, TaskService } from 'celeriac/infra';

// All modules of the folder; one of them exports the app.
const entry = '${FOLDER}';
const stack = new Stack(new App(), '${idOf(name)}');
// service.grantEnqueue(fn) lets a function send; docs/deploy.md has the rest.
new TaskService(stack, 'Tasks', { app: await loadApp(entry), entry });
`;
}

function stack(name: string): string {
  return `import { App, Stack } from 'aws-cdk-lib';
import { TaskService } from 'celeriac/infra';
import { app } from '../src/tasks.ts';

const stack = new Stack(new App(), '${idOf(name)}');
// service.grantEnqueue(fn) lets a function send; docs/deploy.md has the rest.
new TaskService(stack, 'Tasks', { app, entry: 'src/tasks.ts' });
`;
}

const TSCONFIG = `${JSON.stringify(
  {
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
    },
    include: ['src', 'infra'],
  },
  null,
  2,
)}\n`;
