/** What the process of the workers and its supervisor tell each other: plain data. */
import type { KeptRule } from '../memory/memory-rules.ts';
import type { LogLevel } from '../ports/log.ts';

/** Where a worker process finds what it works on. */
export interface WorkerSetup {
  readonly endpoints: { readonly sqs: string; readonly dynamodb: string };
  readonly rules: readonly KeptRule[];
  /** Of addresses of states: the same for as long as `celeriac dev` runs, whatever the code becomes. */
  readonly statusUrl: { readonly port: number; readonly key: string };
}

export type ToWorker =
  /** Its code may load: at once, beside a predecessor that ends. */
  | { readonly kind: 'load'; readonly module: string }
  /** It may work: nobody else does. */
  | { readonly kind: 'begin'; readonly setup: WorkerSetup }
  | { readonly kind: 'stop' };

/** What the app is, for people and for other processes. */
export interface WorkerFacts {
  readonly app: string;
  readonly tasks: number;
  readonly queues: number;
  readonly schedules: number;
  /** Environment variables by which others find the service. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A line of the log. */
export interface LogEntry {
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type FromWorker =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'ready'; readonly facts: WorkerFacts }
  /** Its code cannot be loaded, or its service cannot be made. */
  | { readonly kind: 'failed'; readonly text: string }
  | { readonly kind: 'log'; readonly entry: LogEntry }
  | { readonly kind: 'rules'; readonly rules: readonly KeptRule[] }
  /** It has ended; so many tasks were running, and are to run again. */
  | { readonly kind: 'stopped'; readonly handedBack: number };
