import {
  type AppOptions,
  type BeatEntry,
  Celeriac,
  currentTask,
  InvalidSchedule,
  type Logger,
  type Ports,
  type Task,
} from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';

import { checkedLines } from './log-lines.ts';

/** Where a world's time starts. */
export const START: number = Date.UTC(2030, 0, 1);

export const MINUTE = 60_000;

/** One run of the task `note`. */
export interface Run {
  readonly entry: string;
  readonly atMs: number;
  readonly scheduledMs: number;
  readonly id: string;
  readonly args: readonly unknown[];
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
}

export interface BeatWorld {
  readonly app: Celeriac;
  readonly world: World;
  readonly note: Task;
  readonly runs: Run[];
  readonly lines: LogLine[];
  /** While true no sweep can read what is due: an outage of the scheduler, with queues and workers alive. */
  readonly outage: { on: boolean };
  /** When the runs of an entry were, in milliseconds after the start. */
  readonly timesOf: (entry: string) => number[];
  /** The same in seconds. */
  readonly secondsOf: (entry: string) => number[];
}

/** A world with one task, `note`, that writes down when it ran and for which tick. */
export function beatWorld(
  entries: (note: Task, app: Celeriac) => Readonly<Record<string, BeatEntry>> = () => ({}),
  options: AppOptions = {},
  worldOptions: WorldOptions = {},
): BeatWorld {
  const app = new Celeriac('test', { resultExpires: '1d', ...options });
  const [runs, lines, outage]: [Run[], LogLine[], { on: boolean }] = [[], [], { on: false }];
  const note = declareNote(app, runs, () => world.clock.nowMs());
  app.beat(entries(note, app));
  const world = new World(app, {
    wrapPorts: (ports) => (outage.on ? { ...ports, schedules: failing(ports) } : ports),
    ...worldOptions,
    logger: checkedLines(worldOptions.logger ?? collecting(lines)),
  });
  const startMs = world.clock.nowMs();
  const timesOf = (entry: string): number[] =>
    runs.filter((run) => run.entry === entry).map((run) => run.atMs - startMs);
  const secondsOf = (entry: string): number[] => timesOf(entry).map((ms) => ms / 1000);
  return { app, world, note, runs, lines, outage, timesOf, secondsOf };
}

export function declareNote(app: Celeriac, runs: Run[], nowMs: () => number): Task {
  return app.task('note', (...args: readonly unknown[]) => {
    const { request } = currentTask();
    runs.push({
      entry: request.schedule?.entry ?? '',
      atMs: nowMs(),
      scheduledMs: request.schedule?.scheduledTime.getTime() ?? Number.NaN,
      id: request.id,
      args,
    });
  });
}

export function collecting(lines: LogLine[]): Logger {
  return { log: (level, message) => void lines.push({ level, message }) };
}

/** The same names, each once. */
export function withoutRepeats<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function failing({ schedules }: Ports): Ports['schedules'] {
  return {
    read: (names) => schedules.read(names),
    list: (after, limit) => schedules.list(after, limit),
    eachDue: () => Promise.reject(new InvalidSchedule('an outage')),
    write: (items) => schedules.write(items),
    remove: (name, revision) => schedules.remove(name, revision),
  };
}

/** What a sweep would look at by `untilMs`, left as it is: names and times. */
export async function dueOf(schedules: Ports['schedules'], untilMs: number): Promise<[name: string, dueMs: number][]> {
  const found: [string, number][] = [];
  await schedules.eachDue(untilMs, 100, (due) => {
    found.push(...due.map(({ name, dueMs }): [string, number] => [name, dueMs]));
    return Promise.resolve([]);
  });
  return found;
}
