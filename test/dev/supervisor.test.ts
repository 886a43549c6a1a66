/** One process of workers at a time, whatever changes and whatever dies. */
import { ManualClock } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import type { FromWorker, ToWorker } from '../../lib/dev/messages.ts';
import { Supervisor, type WorkerProcess } from '../../lib/dev/supervisor.ts';

class FakeProcess implements WorkerProcess {
  readonly told: string[] = [];
  readonly gone: WorkerProcess['gone'];
  #listener: (message: FromWorker) => void = () => {};
  #end: (how: { code: number | null; signal: string | null }) => void = () => {};
  readonly #obeys: boolean;

  constructor(obeys: boolean) {
    this.#obeys = obeys;
    this.gone = new Promise((resolve) => {
      this.#end = resolve;
    });
  }
  send({ kind }: ToWorker): void {
    this.told.push(kind);
    if (kind === 'stop' && this.#obeys) this.end(0);
  }
  onMessage(listener: (message: FromWorker) => void): void {
    this.#listener = listener;
  }
  says(message: FromWorker): void {
    this.#listener(message);
  }
  end(code: number | null, signal: string | null = null): void {
    this.#end({ code, signal });
  }
  kill(): void {
    this.end(null, 'SIGKILL');
  }
}

const READY: FromWorker = {
  kind: 'ready',
  facts: { app: 'shop', tasks: 1, queues: 1, schedules: 0, variables: {} },
};

function supervised({ obeys = true } = {}) {
  const clock = new ManualClock(0);
  const processes: FakeProcess[] = [];
  const news: string[] = [];
  const supervisor = new Supervisor({
    clock,
    module: 'tasks.ts',
    spawn: () => {
      const made = new FakeProcess(obeys);
      processes.push(made);
      return made;
    },
    setup: () => Promise.resolve({ endpoints: { sqs: '', dynamodb: '' }, rules: [], statusUrl: { port: 0, key: '' } }),
    freed: () => Promise.resolve(void news.push('freed')),
    on: {
      ready: () => void news.push('ready'),
      log: () => {},
      rules: () => {},
      failed: (text) => void news.push(`failed: ${text}`),
      died: (how) => void news.push(`died: ${how}`),
      stopped: (count) => void news.push(`stopped: ${count}`),
    },
  });
  return { clock, processes, news, supervisor };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a change', () => {
  it('begins the next process when the one before is gone, which loads meanwhile', async () => {
    const { processes, supervisor, clock, news } = supervised({ obeys: false });
    await supervisor.start();
    processes[0]?.says(READY);
    const restarted = supervisor.restart();
    await turn();
    expect(processes.map(({ told }) => told)).toEqual([['load', 'begin', 'stop'], ['load']]);
    // It does not end: it is ended.
    clock.moveTo(clock.nowMs() + 3000);
    await restarted;
    expect(processes[1]?.told).toEqual(['load', 'begin']);
    expect(news).toEqual(['ready', 'freed']);
  });

  it('is one restart, however many there are meanwhile', async () => {
    const { processes, supervisor } = supervised();
    await supervisor.start();
    await Promise.all([supervisor.restart(), supervisor.restart(), supervisor.restart()]);
    expect(processes).toHaveLength(2);
  });
});

describe('a process', () => {
  it('whose code cannot be loaded is waited for, and told of once', async () => {
    const { processes, supervisor, news, clock } = supervised();
    await supervisor.start();
    processes[0]?.says({ kind: 'failed', text: 'SyntaxError' });
    processes[0]?.says({ kind: 'failed', text: 'again' });
    processes[0]?.end(1);
    await turn();
    clock.moveTo(60_000);
    await turn();
    expect([news, processes.length]).toEqual([['failed: SyntaxError'], 1]);
    await supervisor.restart();
    expect(processes).toHaveLength(2);
  });

  it('that dies at work is started again', async () => {
    const { processes, supervisor, news, clock } = supervised();
    await supervisor.start();
    processes[0]?.says(READY);
    processes[0]?.end(null, 'SIGSEGV');
    await turn();
    clock.moveTo(1000);
    await turn();
    await turn();
    expect([news, processes.length]).toEqual([['ready', 'freed', 'died: signal SIGSEGV'], 2]);
  });

  it('that is stopped is not started again', async () => {
    const { processes, supervisor, clock } = supervised();
    await supervisor.start();
    processes[0]?.says(READY);
    await supervisor.stop();
    await supervisor.restart();
    clock.moveTo(60_000);
    expect(processes).toHaveLength(1);
  });
});
