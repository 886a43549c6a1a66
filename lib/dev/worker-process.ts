/** The process of the workers: the user's code, pollers, the sweep and the rules. Its supervisor starts and ends it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { errorStack, errorText } from '../base/error-text.ts';
import { CeleriacError } from '../base/celeriac-error.ts';
import { DEFAULT_NOTICE_WINDOW_SECONDS } from '../base/limits.ts';
import { systemClock } from '../base/time.ts';
import type { Celeriac } from '../app/app.ts';
import { LocalCloud } from '../local/cloud.ts';
import { type KeptRule, MemoryRules } from '../memory/memory-rules.ts';
import { processEnvironment } from '../options/environment.ts';
import { readMailServer } from '../options/mail-server.ts';
import type { Logger } from '../ports/log.ts';
import { smtpNotifier } from '../process/smtp-notifier.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.ts';
import { ShownArguments } from './shown-arguments.ts';
import { SoleWorker } from './take-over.ts';
import { appOfEntry } from './user-module.ts';

// Tasks that are as short as this are let finish when the code changes.
const GRACE_MS = 300;
// Lambda's longest: nothing is cut off here, and a process that is gone is taken over from at once.
const INVOCATION = '15m';

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

const shown = new ShownArguments();

const logger: Logger = {
  log: (level, message, fields = {}) => {
    const args = shown.of(fields['taskId']);
    const all = { ...plain(fields), ...(args === undefined ? {} : { argsrepr: args }) };
    tell({ kind: 'log', entry: { timeMs: systemClock.nowMs(), level, message, fields: all } });
  },
};

/** As it can be sent. */
function plain(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' || typeof value === 'number' ? value : String(value),
    ]),
  );
}

/** Tells its supervisor whenever one is switched or has fired. */
class ToldRules extends MemoryRules {
  constructor(kept: readonly KeptRule[]) {
    super(systemClock, kept);
  }
  override async setEnabled(entry: string, enabled: boolean): Promise<void> {
    await super.setEnabled(entry, enabled);
    this.#tell();
  }
  override fire(): ReturnType<MemoryRules['fire']> {
    const fired = super.fire();
    if (fired.length > 0) this.#tell();
    return fired;
  }
  override deploy(entries: Parameters<MemoryRules['deploy']>[0]): void {
    super.deploy(entries);
    this.#tell();
  }
  #tell(): void {
    tell({ kind: 'rules', rules: this.keep() });
  }
}

/**
 * TypeScript as users write it, enums and paths too, where they have tsx; else what Node itself understands. After what is ours, which needs
 * none of it and would be read through it.
 */
async function takeTsx(): Promise<void> {
  let path: string;
  try {
    path = createRequire(join(process.cwd(), 'package.json')).resolve('tsx');
  } catch {
    return;
  }
  await import(pathToFileURL(path).href);
}

const prepared = takeTsx();
prepared.catch(() => {});
let loading: Promise<Celeriac> | undefined;
let cloud: LocalCloud | undefined;
let sole: SoleWorker | undefined;

async function begin({ endpoints, rules, statusUrl }: WorkerSetup): Promise<void> {
  const app = await loading;
  if (app === undefined) throw new Error('load comes before begin');
  const server = readMailServer(processEnvironment());
  cloud = await LocalCloud.start(app, {
    endpoints,
    statusUrl,
    invocation: INVOCATION,
    logger,
    worker: (deliveries, invocation) => {
      shown.note(deliveries);
      return app.consume(deliveries, invocation);
    },
    rules: new ToldRules(rules),
    ...(server === undefined
      ? {}
      : { notify: { window: DEFAULT_NOTICE_WINDOW_SECONDS }, notifier: await smtpNotifier(server, logger) }),
    wrapPorts: (ports) => {
      sole = new SoleWorker(ports.backend);
      return { ...ports, backend: sole.backend() };
    },
  });
  const manifest = app.manifest();
  tell({
    kind: 'ready',
    facts: {
      app: app.name,
      tasks: Object.keys(manifest.tasks).length,
      queues: Object.keys(manifest.queues).length,
      schedules: manifest.beat.length,
      variables: cloud.variables(),
    },
  });
}

async function stop(): Promise<void> {
  const over = new AbortController();
  await Promise.race([cloud?.stop(), systemClock.sleep(GRACE_MS, over.signal)]);
  over.abort();
  const handedBack = (await sole?.handBack()) ?? 0;
  // What it has said is written first.
  process.send?.({ kind: 'stopped', handedBack } satisfies FromWorker, () => process.exit(0));
}

function failed(error: unknown): void {
  const { message } = errorText(error);
  tell({ kind: 'failed', text: CeleriacError.is(error) ? message : (errorStack(error) ?? message) });
}

process.on('message', (message: ToWorker) => {
  if (message.kind === 'load') {
    loading = prepared.then(() => appOfEntry(message.module));
    loading.then(() => tell({ kind: 'loaded' }), failed);
  } else if (message.kind === 'begin') begin(message.setup).catch(failed);
  else void stop();
});
// A terminal sends it to all processes; the supervisor says when.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// Without a supervisor there are no servers either.
process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0);
