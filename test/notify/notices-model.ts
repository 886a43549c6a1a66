/**
 * Workers that fail, sweepers that count and tell, and what a reader of all mails knows: the real code on stores in memory, in time that
 * a test moves. Any of them dies before or behind any call, clocks differ, and calls of several are mixed.
 */
import type { Clock } from '../../lib/base/time.ts';
import { rollUp } from '../../lib/history/roll-up.ts';
import { MemoryHistory, MemoryNotices } from '../../lib/memory/index.ts';
import type { Delivery } from '../../lib/ports/delivery.ts';
import type { History } from '../../lib/ports/history.ts';
import { NOTIFICATION_FAILED } from '../../lib/notify/send.ts';
import type { Logger } from '../../lib/ports/log.ts';
import type { Mail, Notices, Notifier, Notifying } from '../../lib/ports/notices.ts';
import { notesOf } from '../../lib/worker/history-notes.ts';
import type { Message } from '../../lib/wire/message.ts';

export const WINDOW_MINUTES = 5;
const MINUTE_MS = 60_000;
const START_MS = 1_900_000_000_000;

/** What kills an actor: at its n-th call, before the store hears of it or behind. */
export interface Death {
  readonly call: number;
  readonly behind: boolean;
}

export interface Failing {
  readonly kind: number;
  readonly worker: number;
  readonly death?: Death | undefined;
}

export interface Sweeping {
  readonly death?: Death | undefined;
  /** A second one at the same time. */
  readonly twice: boolean;
}

/** What happens in a minute: failures at once, some seconds, and a sweep at its end. */
export interface Step {
  readonly fails: readonly Failing[];
  readonly seconds: number;
  readonly sweep: Sweeping;
  /** No mail is taken. */
  readonly isDown: boolean;
}

interface Failed {
  readonly id: string;
  readonly kind: number;
  readonly endedMs: number;
  /** In the history before its minute was counted: digests have it. */
  isPunctual: boolean;
  isWritten: boolean;
}

export interface ToldAtOnce {
  readonly task: string;
  readonly id: string;
  readonly atMs: number;
}

/** What a reader of all mails knows. */
export interface Read {
  readonly atOnce: readonly ToldAtOnce[];
  /** Sums of all digests beside what was told at once, by task. */
  readonly counted: ReadonlyMap<string, number>;
  /** What mails of the sweeper tell of beside their own failure, by task. A digest may count it too. */
  readonly found: ReadonlyMap<string, number>;
  readonly digestsMs: readonly number[];
}

/** Calls of an actor; none returns once it is dead. */
class Life {
  readonly #death: Death | undefined;
  readonly #yields: () => number;
  #calls = 0;
  #isDead = false;
  #end: () => void = () => {};
  readonly #over: Promise<void>;

  constructor(death: Death | undefined, yields: () => number) {
    this.#death = death;
    this.#yields = yields;
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Until it is done, or dead. */
  async live(run: () => Promise<unknown>): Promise<void> {
    await Promise.race([run(), this.#over]);
  }

  of<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => this.#call(() => Reflect.apply(value, target, given) as unknown);
      },
    });
  }

  async #call(ask: () => unknown): Promise<unknown> {
    this.#calls += 1;
    // Others' calls come between.
    for (let count = this.#yields(); count > 0; count -= 1) await Promise.resolve();
    const dies = this.#calls === this.#death?.call;
    if (this.#isDead || (dies && !this.#death.behind)) return this.#die();
    const answer = await ask();
    return dies ? this.#die() : answer;
  }

  #die(): Promise<never> {
    this.#isDead = true;
    this.#end();
    return new Promise(() => {});
  }
}

interface Delivered {
  readonly failed: Failed;
  /** It was delivered before, and its outcome stands. */
  readonly again: boolean;
}

interface Process {
  life: Life;
  readonly notices: Notices;
}

function newProcess(life: Life, store: Notices): Process {
  const process: Process = {
    life,
    notices: new Proxy(store, {
      get: (target, name): unknown => Reflect.get(process.life.of(target), name),
    }),
  };
  return process;
}

export interface ModelOptions {
  /** Of the workers' clocks, milliseconds. */
  readonly skews: readonly number[];
  readonly seed: number;
  /** Another store, with a fault. */
  readonly notices?: Notices;
}

export class NoticesModel {
  readonly failed: Failed[] = [];
  readonly #mails: { readonly mail: Mail; readonly atMs: number }[] = [];
  readonly notices: Notices;
  /** When each window that was ever open was to end. */
  readonly #untils = new Set<number>();
  readonly #history = new MemoryHistory();
  readonly #options: ModelOptions;
  readonly #processes = new Map<number, Process>();
  #nowMs = START_MS;
  #state: number;
  #isDown = false;
  #deliveries = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#state = options.seed;
    this.notices = options.notices ?? new MemoryNotices();
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#step(step);
    // Nobody fails any more, nobody dies, and mails are taken: what is left to tell is told.
    const calm = { fails: [], seconds: 0, sweep: { twice: false }, isDown: false };
    for (let minute = 0; minute < 6 * WINDOW_MINUTES; minute += 1) await this.#step(calm);
  }

  async #step({ fails, seconds, sweep, isDown }: Step): Promise<void> {
    this.#isDown = isDown;
    // What a worker did not finish comes again, to the next one.
    const lost = this.failed.filter(({ isWritten }) => !isWritten);
    const deaths = new Map(fails.map(({ worker, death }) => [worker, death]));
    const batches = Map.groupBy(
      [
        ...lost.map((failed, index) => ({ failed, worker: index % 3, again: true })),
        ...fails.map(({ kind, worker }) => ({ failed: this.#fail(kind, worker), worker, again: false })),
      ],
      ({ worker }) => worker,
    );
    await Promise.all([...batches].map(([worker, batch]) => this.#work(batch, worker, deaths.get(worker))));
    await this.#noteWindow();
    this.#nowMs += MINUTE_MS + seconds * 1000;
    await Promise.all([this.#sweep(sweep.death), ...(sweep.twice ? [this.#sweep(undefined)] : [])]);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many windows there were. */
  get windows(): number {
    return this.#untils.size;
  }

  async #noteWindow(): Promise<void> {
    const window = await this.notices.window();
    if (window !== undefined) this.#untils.add(window.untilMs);
  }

  #fail(kind: number, worker: number): Failed {
    const endedMs = this.#clock(worker).nowMs();
    const failed = { id: `id-${this.failed.length}`, kind, endedMs, isPunctual: false, isWritten: false };
    this.failed.push(failed);
    return failed;
  }

  /** A batch, from the commits of its failures to its history. */
  async #work(batch: readonly Delivered[], worker: number, death: Death | undefined): Promise<void> {
    const life = new Life(death, () => this.#random(4));
    this.#deliveries += 1;
    const history = life.of<History>(this.#history);
    const ports = { clock: this.#clock(worker), logger: STRICT, history, notify: this.#notify(life, worker) };
    const notes = notesOf('all', ports, `request-${this.#deliveries}`);
    await life.live(async () => {
      for (const { failed, again } of batch) {
        const { id, kind, endedMs } = failed;
        const committed = { status: 'FAILURE', meta: metaOf(id), settlement: {}, ended: { atMs: endedMs } };
        void notes.note(messageOf(id, kind), {} as Delivery, again ? { ...committed, again } : committed);
      }
      await notes.write();
    });
    // Another process has its place, which remembers nothing.
    if (life.isDead) return void this.#processes.delete(worker);
    const { untilMs = 0 } = await this.#history.rollState(1);
    for (const { failed } of batch) {
      failed.isWritten = true;
      failed.isPunctual = failed.endedMs >= untilMs;
    }
  }

  async #sweep(death: Death | undefined): Promise<void> {
    await this.#noteWindow();
    const life = new Life(death, () => this.#random(4));
    const clock = this.#clock(undefined);
    const history = life.of<History>(this.#history);
    await life.live(() => rollUp({ clock, logger: STRICT, history, notify: this.#notify(life) }));
  }

  #notify(life: Life, worker?: number): () => Promise<Notifying> {
    const notifier: Notifier = {
      send: (mail) => {
        if (this.#isDown) return Promise.reject(new Error('down'));
        this.#mails.push({ mail, atMs: this.#nowMs });
        return Promise.resolve();
      },
    };
    const notifying: Notifying = {
      app: 'shop',
      windowSeconds: WINDOW_MINUTES * 60,
      notices: worker === undefined ? life.of<Notices>(this.notices) : this.#processOf(worker, life),
      notifier: life.of(notifier),
    };
    return () => Promise.resolve(notifying);
  }

  /** The same object for as long as a process lives: what it remembers belongs to it. */
  #processOf(worker: number, life: Life): Notices {
    const process = this.#processes.get(worker) ?? newProcess(life, this.notices);
    process.life = life;
    this.#processes.set(worker, process);
    return process.notices;
  }

  /** A sweeper's is the true one. Nothing waits in this time: what is asked is answered, or never. */
  #clock(worker: number | undefined): Clock {
    const { skews } = this.#options;
    const skewMs = worker === undefined ? 0 : (skews[worker % skews.length] ?? 0);
    return {
      nowMs: () => this.#nowMs + skewMs,
      sleep: () => new Promise(() => {}),
      schedule: () => () => {},
      nextTurn: () => Promise.resolve(),
    };
  }

  #random(below: number): number {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) >>> 0;
    return (this.#state >>> 16) % below;
  }

  /** What people know who read all mails. */
  read(): Read {
    const counted = new Map<string, number>();
    const found = new Map<string, number>();
    const atOnce: ToldAtOnce[] = [];
    const digestsMs: number[] = [];
    const number = (text: string): number => Number(text.replaceAll(',', ''));
    const add = (task: string, count: number): void => void counted.set(task, (counted.get(task) ?? 0) + count);
    for (const { mail, atMs } of this.#mails) {
      const [, task, id] = /Error: Task (\S+) \((\S+)\)/.exec(mail.subject) ?? [];
      if (task !== undefined && id !== undefined) atOnce.push({ task, id, atMs });
      else digestsMs.push(atMs);
      const kinds = /^([\d,]+) times?: (\S+):.*\n.*?(; the first was told at once)?$/gm;
      for (const [, count = '', of = '', alone] of mail.text.matchAll(kinds))
        add(of, number(count) - (alone === undefined ? 0 : 1));
      const [, times] = /^Times: +([\d,]+),/m.exec(mail.text) ?? [];
      if (times !== undefined && task !== undefined) found.set(task, (found.get(task) ?? 0) + number(times) - 1);
    }
    return { atOnce, counted, found, digestsMs };
  }
}

/** A model that is wrong is told, and what mails may do is not. */
const STRICT: Logger = {
  log: (_level, message, fields) => {
    if (fields?.['code'] !== NOTIFICATION_FAILED) throw new Error(message);
  },
};

export const taskOf = (kind: number): string => `task${kind}`;

function metaOf(id: string): string {
  const result = { exc_type: 'Error', exc_message: ['x'], exc_module: 'builtins' };
  return JSON.stringify({ status: 'FAILURE', result, traceback: null, children: [], date_done: null, task_id: id });
}

function messageOf(id: string, kind: number): Message {
  const known = {
    celeriac: {},
    parentId: null,
    id,
    task: taskOf(kind),
    queue: 'default',
    retries: 0,
    argsrepr: '()',
    kwargsrepr: '{}',
  };
  return known as Message;
}
