/** Task name -> definition. */
import type { TaskContext } from './context.ts';
import { AlreadyRegistered, NotRegistered } from '../base/errors.ts';
import { once } from '../base/lazy.ts';
import type { ResolvedTaskOptions } from '../options/task-options.ts';

/** Celery's handlers; each may be async, and its error is logged, never the task's. `beforeStart` alone fails the task. */
export interface TaskHooks {
  /** Called before each attempt runs. What it throws fails the attempt as the task's own error would. */
  beforeStart?(id: string, args: readonly unknown[]): unknown;
  /** Called with the result when an attempt succeeds. */
  onSuccess?(value: unknown, id: string, args: readonly unknown[]): unknown;
  /** Called with the error when another attempt will follow. */
  onRetry?(error: unknown, id: string, args: readonly unknown[]): unknown;
  /** Called with the error when the task ends as FAILURE. */
  onFailure?(error: unknown, id: string, args: readonly unknown[]): unknown;
  /**
   * Called after `onSuccess` or `onFailure`, with the state SUCCESS or FAILURE and the result or the error; not before
   * a retry.
   */
  afterReturn?(state: string, value: unknown, id: string, args: readonly unknown[]): unknown;
}

export interface TaskDefinition {
  readonly name: string;
  readonly options: ResolvedTaskOptions;
  readonly hooks: TaskHooks;
  /** Arguments that its function names, the context of a bound one left out. */
  readonly arity: number;
  run(context: TaskContext, args: readonly unknown[]): unknown;
  /** file:line:column of the declaration, for error messages. */
  readonly declaredAt: string;
}

export class Registry {
  #definitions = new Map<string, TaskDefinition>();
  #builtin: () => ReadonlyMap<string, TaskDefinition>;
  #remote = new Map<string, TaskDefinition>();

  /** @param builtins tasks of the library itself (`celery.map`): found, never listed; a user's own of that name comes first. Asked for once, when one is needed. */
  constructor(builtins: () => readonly TaskDefinition[] = () => []) {
    this.#builtin = once(() => new Map(builtins().map((definition) => [definition.name, definition])));
  }

  /** The same tasks, those added later too, with other ones of the library itself. */
  withBuiltins(builtins: () => readonly TaskDefinition[]): Registry {
    const other = new Registry(builtins);
    other.#definitions = this.#definitions;
    other.#remote = this.#remote;
    return other;
  }

  /** @throws AlreadyRegistered naming both places. */
  add(definition: TaskDefinition): void {
    this.#refuseSecond(definition);
    this.#definitions.set(definition.name, definition);
  }

  /** A task that runs elsewhere: known to whoever sends it, and to no worker. @throws AlreadyRegistered */
  addRemote(definition: TaskDefinition): void {
    this.#refuseSecond(definition);
    this.#remote.set(definition.name, definition);
  }

  #refuseSecond({ name, declaredAt }: TaskDefinition): void {
    const other = this.#definitions.get(name) ?? this.#remote.get(name);
    if (other === undefined) return;
    throw new AlreadyRegistered(
      `Two tasks are named '${name}': one at ${other.declaredAt}, one at ${declaredAt}. Give one of them another name.`,
    );
  }

  find(name: string): TaskDefinition | undefined {
    return this.#definitions.get(name) ?? this.#builtin().get(name);
  }

  /** What is known to a sender: tasks that run here, and those that run elsewhere. */
  findAnywhere(name: string): TaskDefinition | undefined {
    return this.find(name) ?? this.#remote.get(name);
  }

  remotes(): TaskDefinition[] {
    return [...this.#remote.values()];
  }

  /** @throws NotRegistered */
  get(name: string): TaskDefinition {
    const definition = this.find(name);
    if (definition) return definition;
    throw new NotRegistered(`No task is named '${name}'. Registered are: ${this.names().join(', ') || 'none'}.`);
  }

  names(): string[] {
    return [...this.#definitions.keys()].toSorted();
  }

  all(): TaskDefinition[] {
    return this.names().map((name) => this.get(name));
  }
}

/** Where the caller's caller stands, from a stack trace; for messages only. */
export function callSite(stack: string | undefined, skip: number): string {
  const lines = (stack ?? '').split('\n').filter((line) => /^\s*at /.test(line));
  const line = lines[skip] ?? lines.at(-1);
  const match = /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(line ?? '');
  return match?.[1] ?? 'an unknown place';
}
