/** An app with a task for each way to end, in a world; what the canvas tests share. */
import {
  type AnySignature,
  type AppOptions,
  type AsyncResult,
  type Celeriac,
  type GroupResult,
  Ignore,
  Reject,
  type TaskRequest,
} from 'celeriac';
import type { World, WorldOptions } from 'celeriac/testing';
import { expect } from 'vitest';

import { tasksOf } from '../../lib/canvas/compile.ts';
import { FetchError, newWorld } from './worlds.ts';

export type Sent = AsyncResult | GroupResult;

/** One run of a task: its name, what it was called with, and what it could see. */
export interface TaskRun {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly request: TaskRequest;
}

function declare(app: Celeriac, runs: TaskRun[]) {
  const note = (request: TaskRequest, args: readonly unknown[]): void => {
    runs.push({ name: request.task, args, request });
  };
  const retried = { bind: true, autoretryFor: [FetchError], defaultRetryDelay: 10, maxRetries: 2 } as const;
  return {
    echo: app.task('echo', { bind: true }, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      return args[0];
    }),
    /** Its arguments. */
    list: app.task('list', { bind: true }, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      return args;
    }),
    fail: app.task('fail', { bind: true }, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      throw new RangeError('broken');
    }),
    tell: app.task('tell', { bind: true }, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      return 'told';
    }),
    flaky: app.task('flaky', retried, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      if (self.request.retries < 2) throw new FetchError('again');
      return args[0];
    }),
    hopeless: app.task('hopeless', retried, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      throw new FetchError('for ever');
    }),
    reject: app.task('reject', { bind: true }, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      throw new Reject('unwanted');
    }),
    ignore: app.task('ignore', { bind: true }, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      throw new Ignore('never mind');
    }),
    stuck: app.task('stuck', { bind: true, timeLimit: 5 }, async (self, ...args: unknown[]): Promise<unknown> => {
      note(self.request, args);
      return new Promise(() => {});
    }),
    silent: app.task('silent', { bind: true, ignoreResult: true }, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      return args[0];
    }),
    mail: app.task('mail.send', { bind: true }, (self, ...args: unknown[]): unknown => {
      note(self.request, args);
      return args[0];
    }),
  };
}

export type CanvasTasks = ReturnType<typeof declare>;

export interface CanvasWorld {
  readonly app: Celeriac;
  readonly world: World;
  readonly tasks: CanvasTasks;
  readonly runs: TaskRun[];
  /** Runs of one task. */
  readonly of: (name: string) => TaskRun[];
}

export function canvasWorld(options: AppOptions = {}, worldOptions: WorldOptions = {}): CanvasWorld {
  const runs: TaskRun[] = [];
  const queues = { default: {}, mail: {} };
  const { app, world, tasks } = newWorld(
    (celeriac) => declare(celeriac, runs),
    { queues, ...options },
    { patienceMs: 0, ...worldOptions },
  );
  // As a sender that knows none of the tasks: what it may send, the workers must bring to an end.
  app.taskNames = () => undefined;
  return { app, world, tasks, runs, of: (name) => runs.filter((run) => run.name === name) };
}

/** Sends any signature. */
export async function send(sig: AnySignature): Promise<Sent> {
  return (sig as AnySignature & { delay(): Promise<Sent> }).delay();
}

/** Final states by task id. */
export function statesOf(world: World): Map<string, string> {
  return new Map(
    world.backend.all().map(({ id, status, finishedMs }) => [id, finishedMs === undefined ? `open ${status}` : status]),
  );
}

/** Every task of the tree has ended, every group on the way is complete, and nothing is under way any more. */
export async function expectEnded(world: World, sig: AnySignature, result: Sent): Promise<void> {
  const states = statesOf(world);
  const open = tasksOf(sig, result.id)
    .filter(({ id }) => ['open', undefined].includes(states.get(id)?.split(' ')[0]))
    .map(({ id, signature }) => `${signature.task} ${id}`);
  expect(open).toEqual([]);
  for (let at: unknown = result; at !== undefined; at = (at as { readonly parent?: unknown }).parent)
    if (isGroup(at)) expect(await at.progress()).toMatchObject({ done: at.total });
  expect(world.broker.nextVisibleMs()).toBeUndefined();
  expect(world.timers.nextDueMs()).toBeUndefined();
}

export function isGroup(result: unknown): result is GroupResult {
  return typeof result === 'object' && result !== null && 'memberIds' in result;
}

/** For values whose order says nothing. */
export function unordered(values: readonly unknown[]): string[] {
  return values.map((value) => JSON.stringify(value)).toSorted((left, right) => left.localeCompare(right));
}
