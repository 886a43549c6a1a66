/** What reads of settings have in common: the value as given, the options so far, and how both are told of. */
import { shown } from '../../base/checks.ts';
import { InvalidOption } from '../../base/errors.ts';
import type { QueueOptions } from '../queue-options.ts';
import { type AppOptions, resolveSettings } from '../settings.ts';

/** A setting as somebody gave it. */
export interface Given {
  readonly name: string;
  readonly value: unknown;
  readonly warn: (message: string) => void;
}

/** Options under construction. */
export interface Draft {
  readonly options: { -readonly [K in keyof AppOptions]: AppOptions[K] };
  /** Queues of `task_queues`. */
  readonly declared: Map<string, QueueOptions>;
  /** Queues that routes or the default name, each with the setting that does. */
  readonly wanted: Map<string, string>;
  /** The name, as given, of a `task_create_missing_queues` that is false. */
  refusesMissing: string | undefined;
}

export type Mapping = (given: Given, draft: Draft) => void;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Absent, or empty: nothing is asked for. */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Names the setting, its value and what is allowed. */
export function refused(given: Given, allowed: string, value: unknown = given.value): InvalidOption {
  return new InvalidOption(`${given.name}: ${shown(value)} given; ${allowed} is allowed.`);
}

/** @throws InvalidOption naming the setting, where the app would refuse what it becomes. */
export function checkOptions(given: Given, options: AppOptions): void {
  try {
    resolveSettings('celery', options);
  } catch (error) {
    throw InvalidOption.is(error) ? new InvalidOption(`${given.name}: ${error.message}`) : error;
  }
}

/** @throws InvalidOption where it is no name of a queue. */
export function queueName(given: Given, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw refused(given, 'the name of a queue', value);
  checkOptions(given, { queues: { [value]: queueOptions(value) } });
  return value;
}

export function queueOptions(name: string): QueueOptions {
  return name.endsWith('.fifo') ? { fifo: true } : {};
}

/** Keys that are left out, each with its owners; the warning is one sentence. */
export class IgnoredKeys {
  readonly #owners = new Map<string, string[]>();

  add(key: string, ...owners: readonly string[]): void {
    this.#owners.set(key, [...(this.#owners.get(key) ?? []), ...owners]);
  }

  warn(given: Given, instead: string): void {
    if (this.#owners.size === 0) return;
    const keys = [...this.#owners].map(([key, owners]) =>
      owners.length === 0 ? key : `${key} (${owners.join(', ')})`,
    );
    given.warn(`${given.name}: ${keys.join(', ')} ${keys.length === 1 ? 'has' : 'have'} no meaning here: ${instead}.`);
  }
}

/** Whether a key of a queue or a route asks for more than the queue itself: kombu writes out every default. */
export function asksForMore(key: string, value: unknown, queue: string): boolean {
  if (isNothing(value) || value === false || value === queue) return false;
  if (key === 'durable') return value !== true;
  if (key === 'exchange_type') return value !== 'direct';
  if (key === 'exchange' && isRecord(value)) {
    const { name, type } = value;
    return (!isNothing(name) && name !== queue) || (!isNothing(type) && type !== 'direct');
  }
  return true;
}
