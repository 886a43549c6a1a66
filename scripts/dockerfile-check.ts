/**
 * Follows the Dockerfile of docs/workers.md line by line outside of a container: what it copies, installs and starts, with the packed library. Its
 * worker does a task, is found healthy, and ends with 0 when it is told to.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

import type { Celeriac } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';

interface Tasks {
  readonly app: Celeriac;
  readonly render: { delay(film: string): Promise<{ get(options: { timeout: number }): Promise<string> }> };
}

/** What is left when all lines are followed. */
interface Image {
  readonly folder: string;
  readonly variables: Record<string, string>;
  readonly command: readonly string[];
  readonly health: readonly string[];
}

const DOCS = readFileSync('docs/workers.md', 'utf8');

function block(head: string): string {
  const found = new RegExp(`\`\`\`${head}\n([\\s\\S]*?)\`\`\``).exec(DOCS)?.[1];
  if (found === undefined) throw new Error(`docs/workers.md has no block that begins with ${head}`);
  return found;
}

/** The project beside the Dockerfile: its tasks, compiled, and its dependencies, locked. */
function makeContext(folder: string, tarball: string): string {
  const context = join(folder, 'context');
  mkdirSync(join(context, 'dist'), { recursive: true });
  writeFileSync(join(context, 'dist/tasks.js'), stripTypeScriptTypes(block('ts\n// tasks.ts')));
  const dependencies = { celeriac: `file:../${basename(tarball)}` };
  const manifest = { name: 'studio', version: '1.0.0', private: true, type: 'module', dependencies };
  writeFileSync(join(context, 'package.json'), JSON.stringify(manifest));
  npm(['install', '--package-lock-only'], context);
  return context;
}

function npm(args: readonly string[], cwd: string): void {
  execFileSync('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd,
    stdio: 'inherit',
  });
}

function follow(dockerfile: string, context: string, folder: string): Image {
  const variables: Record<string, string> = {};
  let command: readonly string[] = [];
  let health: readonly string[] = [];
  for (const line of dockerfile.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    const [instruction = '', ...words] = line.split(' ');
    const rest = words.join(' ');
    if (instruction === 'FROM') sameMajor(rest);
    else if (instruction === 'WORKDIR') mkdirSync(folder, { recursive: true });
    else if (instruction === 'COPY') copy(words, context, folder);
    else if (instruction === 'RUN') npmOf(rest, folder);
    else if (instruction === 'ENV') variables[rest.split('=')[0] ?? ''] = rest.split('=')[1] ?? '';
    else if (instruction === 'HEALTHCHECK') health = JSON.parse(rest.slice(rest.indexOf('['))) as string[];
    else if (instruction === 'CMD') command = JSON.parse(rest) as string[];
    else if (instruction !== 'USER') throw new Error(`This line of the Dockerfile is not followed: ${line}`);
  }
  return { folder, variables, command, health };
}

function sameMajor(image: string): void {
  const wanted = /^node:(\d+)/.exec(image)?.[1];
  if (wanted !== process.versions.node.split('.')[0])
    throw new Error(`The Dockerfile begins from ${image}, and this is Node ${process.versions.node}`);
}

function copy(words: readonly string[], context: string, folder: string): void {
  const [destination = '', ...sources] = words.toReversed();
  for (const source of sources)
    cpSync(join(context, source), join(folder, destination, destination.endsWith('/') ? source : ''), {
      recursive: true,
    });
}

function npmOf(line: string, folder: string): void {
  const [program, ...args] = line.split(' ');
  if (program !== 'npm') throw new Error(`The Dockerfile runs ${program}, which is not followed`);
  npm(args, folder);
}

async function work({ folder, variables, command, health }: Image, service: Record<string, string>, tasks: Tasks) {
  const env = { PATH: process.env['PATH'], ...variables, ...service };
  const start = ([program = '', ...args]: readonly string[]): [string, string[], { cwd: string; env: typeof env }] => [
    program,
    args,
    { cwd: folder, env },
  ];
  const isHealthy = (): boolean => spawnSync(...start(health)).status === 0;
  const worker = spawn(...start(command));
  const exit = once(worker, 'exit');
  const said: string[] = [];
  for (const stream of [worker.stdout, worker.stderr]) createInterface(stream).on('line', (line) => said.push(line));
  try {
    const result = await tasks.render.delay('film');
    const film = await result.get({ timeout: 60 });
    if (film !== 'film.mp4') throw new Error(`The task answered ${film}`);
    if (!isHealthy()) throw new Error('The worker is not healthy');
    worker.kill('SIGTERM');
    const [code] = (await exit) as [number | null];
    if (code !== 0) throw new Error(`The worker ended with ${code}`);
    if (isHealthy()) throw new Error('The health check finds a worker that has ended');
  } catch (error) {
    throw new Error(`The worker of the Dockerfile:\n${said.join('\n')}`, { cause: error });
  } finally {
    worker.kill('SIGKILL');
  }
}

/** @param folder with the packed library among its modules @param tarball in this folder @throws what does not work, with what the worker said */
export async function checkDockerfile(folder: string, tarball: string): Promise<string> {
  const context = makeContext(folder, tarball);
  const image = follow(block('dockerfile'), context, join(folder, 'image'));
  // The app's own side: an API handler that sends, and the service on this machine.
  copyFileSync(join(context, 'dist/tasks.js'), join(folder, 'tasks.mjs'));
  const tasks = (await import(pathToFileURL(join(folder, 'tasks.mjs')).href)) as Tasks;
  const local = pathToFileURL(join(folder, 'node_modules/celeriac/dist/lib/local/index.js')).href;
  const { LocalCloud: Local } = (await import(local)) as { readonly LocalCloud: typeof LocalCloud };
  const cloud = await Local.start(tasks.app, { processes: false, logger: { log: () => {} } });
  try {
    await work(image, cloud.variables(), tasks);
  } finally {
    await cloud.stop();
  }
  return `the Dockerfile of docs/workers.md: ${image.command.join(' ')}: did a task, was healthy, and ended with 0`;
}
