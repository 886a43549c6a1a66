/** `celeriac dev`: an app's service on this machine, whose state stays and whose workers follow the code. */
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { errorText } from '../base/error-text.ts';
import { type Clock, systemIds } from '../base/time.ts';
import { type KeptQueues, keptQueues } from '../local/kept-queues.ts';
import { type LocalServer, startKeptDynamodb, startKeptSqs } from '../local/servers.ts';
import { forkWorker } from './fork-worker.ts';
import { type Columns, logText, type Styled, withoutForeignFrames } from './log-text.ts';
import type { LogEntry, WorkerFacts, WorkerSetup } from './messages.ts';
import type { StateFolder } from './state-folder.ts';
import { isReadBefore, Spare } from './spare.ts';
import { Supervisor } from './supervisor.ts';
import { watchFiles } from './watch-files.ts';

export interface DevOptions {
  /** Path of the module that exports the app. */
  readonly module: string;
  /** Of the project. */
  readonly folder: string;
  readonly state: StateFolder;
  /** SQS's; DynamoDB has the next one. */
  readonly port: number;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly print: (line: string) => void;
  readonly style: Styled;
  /** Told each time that workers have begun and others can find the service. */
  readonly ready?: () => void;
}

/** A service that runs. */
export interface Dev {
  /** Workers end what they can, state stays. */
  stop(): Promise<void>;
}

// For a long poll of a process that is gone to let go of what it took.
const LET_GO_MS = 20;
// SQS's port, DynamoDB's, and the monitor's.
const STATUS_BEHIND = 3;
const OWN_FOLDER = fileURLToPath(new URL('../', import.meta.url));

export async function startDev(options: DevOptions): Promise<Dev> {
  const { state, port, folder, clock } = options;
  const queues = await keptQueues(state.sqs);
  const servers = await startServers(queues, state.dynamodb, port);
  const endpoints = { sqs: servers.sqs.endpoint, dynamodb: servers.dynamodb.endpoint };
  const news = new News(options, endpoints);
  let rules = await state.rules();
  const statusUrl = { port: port + STATUS_BEHIND, key: `${systemIds.next()}${systemIds.next()}` };
  const spare = spareOf(options, news);
  const supervisor = new Supervisor({
    clock,
    module: resolve(folder, options.module),
    spawn: () => spare.take(),
    setup: async (): Promise<WorkerSetup> => ({ endpoints, rules, statusUrl }),
    freed: async () => {
      queues.cancelReceives();
      await clock.sleep(LET_GO_MS);
      queues.returnAll();
    },
    on: {
      ready: (facts) => {
        spare.prepare();
        void state.writeVariables(facts.variables).then((path) => {
          news.ready(facts, path);
          options.ready?.();
        });
      },
      log: (entry) => news.log(entry),
      rules: (kept) => {
        rules = kept;
        void state.keepRules(kept).catch((error: unknown) => news.failed(errorText(error).message));
      },
      failed: (text) => {
        spare.prepare();
        news.failed(text);
      },
      died: (how) => news.died(how),
      stopped: (handedBack) => news.stopped(handedBack),
    },
  });
  const watched = watchFiles(folder, clock, (paths) => {
    news.changed(paths);
    if (paths.some(isReadBefore)) spare.drop();
    void supervisor.restart();
  });
  await watched.ready;
  await supervisor.start();
  return {
    stop: async () => {
      await watched.close();
      spare.end();
      await supervisor.stop();
      await Promise.all([servers.sqs.stop(), servers.dynamodb.stop()]);
      queues.close();
      await state.leave();
    },
  };
}

interface Servers {
  readonly sqs: LocalServer;
  readonly dynamodb: LocalServer;
}

async function startServers(queues: KeptQueues, tables: string, port: number): Promise<Servers> {
  // All who worked are gone.
  queues.returnAll();
  const sqs = await startKeptSqs(port, queues);
  try {
    return { sqs, dynamodb: await startKeptDynamodb(port + 1, tables) };
  } catch (error) {
    await sqs.stop();
    throw error;
  }
}

function spareOf({ folder, variables, state }: DevOptions, news: News): Spare {
  const cache = resolve(state.cache);
  return new Spare(() => forkWorker({ folder, variables, cache, written: (text) => news.written(text) }));
}

/** What is told, line by line. */
class News {
  readonly #options: DevOptions;
  readonly #endpoints: WorkerSetup['endpoints'];
  readonly #columns: Columns = { queue: 7, task: 12 };
  #isTold = false;
  #change: { readonly paths: readonly string[]; readonly atMs: number } | undefined;
  #handedBack = 0;

  constructor(options: DevOptions, endpoints: WorkerSetup['endpoints']) {
    this.#options = options;
    this.#endpoints = endpoints;
  }

  ready(facts: WorkerFacts, variablesPath: string): void {
    const { clock, style, print, folder } = this.#options;
    if (!this.#isTold) {
      this.#isTold = true;
      for (const line of this.#head(facts, relative(folder, variablesPath))) print(line);
    } else {
      const change = this.#change;
      const took = change === undefined ? '' : ` in ${((clock.nowMs() - change.atMs) / 1000).toFixed(1)} s`;
      const back = this.#handedBack === 0 ? '' : ` (${count(this.#handedBack, 'task')} handed back)`;
      this.#line(`${changeText(change?.paths ?? [])}workers restarted${took}${back}`, (text) => style('cyan', text));
    }
    this.#change = undefined;
    this.#handedBack = 0;
  }

  log(entry: LogEntry): void {
    const { style, folder, print } = this.#options;
    for (const line of logText(entry, this.#columns, style, folder, OWN_FOLDER)) print(line);
  }

  /** The user's own output, as it is. */
  written(text: string): void {
    for (const line of text.replace(/\n$/, '').split('\n')) this.#options.print(line);
  }

  changed(paths: readonly string[]): void {
    this.#change ??= { paths, atMs: this.#options.clock.nowMs() };
  }

  stopped(handedBack: number): void {
    this.#handedBack += handedBack;
  }

  failed(text: string): void {
    const { style, print } = this.#options;
    this.#line(`${changeText(this.#change?.paths ?? [])}the workers did not start:`, (line) => style('red', line));
    for (const line of withoutForeignFrames(text, OWN_FOLDER)) print(`            ${line}`);
    this.#line('They start at the next change of a file.', (line) => style('dim', line));
    this.#change = undefined;
  }

  died(how: string): void {
    this.#line(`The process of the workers ended: ${how}. It is started again.`, (text) =>
      this.#options.style('red', text),
    );
  }

  #line(text: string, look: (text: string) => string): void {
    const { style, print, clock } = this.#options;
    const time = new Date(clock.nowMs()).toTimeString().slice(0, 8);
    print(`  ${style('dim', time)}  ${look(text)}`);
  }

  #head(facts: WorkerFacts, variablesPath: string): string[] {
    const { style, module, state, folder } = this.#options;
    const parts = [count(facts.tasks, 'task'), count(facts.queues, 'queue'), count(facts.schedules, 'schedule')];
    const { sqs, dynamodb } = this.#endpoints;
    return [
      `  ${style('bold', 'celeriac dev')}   app ${facts.app}   ${module}   ${parts.join(', ')}`,
      '',
      `  SQS       ${sqs}`,
      `  DynamoDB  ${dynamodb}`,
      `  env       ${variablesPath}   (node --env-file=${variablesPath} ${basename('api.ts')})`,
      `  state     ${join(relative(folder, state.path), '/')}   kept; celeriac dev --fresh starts empty`,
      '',
    ];
  }
}

function changeText(paths: readonly string[]): string {
  const [first] = paths;
  if (first === undefined) return '';
  return `${first}${paths.length === 1 ? '' : ` and ${paths.length - 1} more`} changed, `;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
