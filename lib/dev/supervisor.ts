/** Keeps one process of workers: starts it anew when the code has changed, and again when it died. */
import { errorText } from '../base/error-text.ts';
import type { Clock } from '../base/time.ts';
import type { FromWorker, LogEntry, ToWorker, WorkerFacts, WorkerSetup } from './messages.ts';

/** A process, as the supervisor sees it. */
export interface WorkerProcess {
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Resolves when it is gone. */
  readonly gone: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  kill(): void;
}

export interface Supervised {
  readonly clock: Clock;
  /** Starts a process, which waits for `load`. */
  readonly spawn: () => WorkerProcess;
  readonly setup: () => Promise<WorkerSetup>;
  readonly module: string;
  /** The process before is gone: what it had received is there for others. */
  readonly freed: () => Promise<void>;
  readonly on: {
    ready(facts: WorkerFacts): void;
    log(entry: LogEntry): void;
    rules(rules: WorkerSetup['rules']): void;
    /** It waits for the next change of a file. */
    failed(text: string): void;
    /** It died while it worked, and is started again. */
    died(how: string): void;
    stopped(handedBack: number): void;
  };
}

// Longer than its own grace for tasks.
const KILL_AFTER_MS = 3000;
const AGAIN_AFTER_MS = 1000;

interface Run {
  readonly process: WorkerProcess;
  state: 'starting' | 'ready' | 'stopping' | 'gone';
}

export class Supervisor {
  readonly #with: Supervised;
  #run: Run | undefined;
  /** One after another: changes come while it restarts. */
  #turn: Promise<void> = Promise.resolve();
  #asked = 0;
  #over = false;

  constructor(options: Supervised) {
    this.#with = options;
  }

  start(): Promise<void> {
    return this.restart();
  }

  /** Ends the process that there is, and starts one with the code as it is now. Changes meanwhile are one restart. */
  restart(): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    this.#turn = this.#turn.then(async () => {
      if (this.#over || asked !== this.#asked) return;
      await this.#replace();
    });
    return this.#turn;
  }

  /** Ends the process, and starts none any more. */
  stop(): Promise<void> {
    this.#over = true;
    const run = this.#run;
    return this.#turn.then(() => this.#end(this.#run ?? run));
  }

  async #replace(): Promise<void> {
    const { spawn, module, setup } = this.#with;
    // Its code loads while the one before ends.
    const run: Run = { process: spawn(), state: 'starting' };
    run.process.send({ kind: 'load', module });
    this.#listen(run);
    const before = this.#run;
    this.#run = run;
    await this.#end(before);
    if (run.state === 'starting') run.process.send({ kind: 'begin', setup: await setup() });
  }

  async #end(run: Run | undefined): Promise<void> {
    if (run === undefined || run.state === 'gone') return;
    run.state = 'stopping';
    run.process.send({ kind: 'stop' });
    const over = new AbortController();
    void this.#with.clock.sleep(KILL_AFTER_MS, over.signal).then(() => {
      if (!over.signal.aborted) run.process.kill();
    });
    await run.process.gone;
    over.abort();
    await this.#with.freed();
  }

  #listen(run: Run): void {
    const { on, clock } = this.#with;
    let told = false;
    run.process.onMessage((message) => {
      if (message.kind === 'ready') {
        if (run.state === 'starting') run.state = 'ready';
        on.ready(message.facts);
      } else if (message.kind === 'log') on.log(message.entry);
      else if (message.kind === 'rules') on.rules(message.rules);
      else if (message.kind === 'stopped') on.stopped(message.handedBack);
      // What cannot be loaded cannot begin either.
      else if (message.kind === 'failed' && !told) {
        told = true;
        on.failed(message.text);
      }
    });
    void run.process.gone.then(async ({ code, signal }) => {
      const { state } = run;
      run.state = 'gone';
      if (state === 'stopping' || this.#over) return;
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      if (state === 'starting') {
        if (!told) on.failed(`The process of the workers ended while it loaded the code: ${how}.`);
        return;
      }
      await this.#with.freed().catch((error: unknown) => on.failed(errorText(error).message));
      on.died(how);
      await clock.sleep(AGAIN_AFTER_MS);
      if (this.#run === run) await this.restart();
    });
  }
}
