/** Port of traces: what is told of a message on its way. Nothing of it is called where an app has no `telemetry`. */
import type { RunEndKind } from './run-ends.ts';

/** What a span says of a message: names and ids, never arguments. */
export interface TracedMessage {
  /** Task id. */
  readonly id: string;
  /** Name of the task. */
  readonly task: string;
  /** Celery's name of the queue. */
  readonly queue: string;
  /** 0 for a call; a retry's number for the message of a retry. */
  readonly retries: number;
  /** Id of the task from which all others followed. */
  readonly rootId: string;
  /** Custom headers, among them those that carry a trace. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** What the library adds: `part` is there in each message with which a task goes on, after the first. */
  readonly celeriac?: { readonly part?: number };
}

/** The span of a message that is to be sent. It is seen once it has ended: not where nothing was sent. */
export interface MessageSpan {
  /** The message is made, and stored: somebody else sends it, or another stands for it. */
  created(): void;
}

/** What is sent, and whose span it is. */
export interface SentMessage {
  /** Its queue, under Celery's name. */
  readonly queue: string;
  /** Undefined where nobody began one for it. */
  readonly span?: MessageSpan | undefined;
}

/** How a run ended: what the worker decides. */
export interface RunEnd {
  /** What becomes of the attempt. */
  readonly kind: RunEndKind;
  /** What the task threw. */
  readonly error?: unknown;
  /** Whether the task's `throws` has it: no error of the program's. */
  readonly expected?: boolean;
  /** Of a retry: `part` says that nothing has ended, and that the task goes on as this part. */
  readonly overrides?: { readonly part?: number };
}

/** The span of a run. */
export interface RunSpan {
  /** What was decided; the last call counts. */
  ended(end: RunEnd): void;
}

/** Where traces go: what `openTelemetry()` gives. The methods are the library's own use. None of them throws for a fault of its own. */
export interface Telemetry {
  /** Begins the span of a message that is to be sent. @returns the message's headers, which carry it */
  message(message: TracedMessage): { readonly headers: Readonly<Record<string, unknown>>; readonly span?: MessageSpan };
  /** The headers of a message that has no span of its own, and passes on whose it is. */
  passOn(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** Messages are sent together, by `run`. */
  send<R>(messages: readonly SentMessage[], run: () => Promise<R>): Promise<R>;
  /**
   * A batch that an invocation was given is handled by `run`. Behind it nothing may run: what is to be exported is.
   *
   * @param queues of each of its messages
   * @param leftMs how long its invocation still lasts, in milliseconds
   */
  batch<R>(queues: readonly string[], leftMs: () => number, run: () => Promise<R>): Promise<R>;
  /** What `run` does follows from a message with these headers. */
  within<R>(headers: Readonly<Record<string, unknown>>, run: () => R): R;
  /** A task runs, within `run`. */
  run<R>(message: TracedMessage, run: (span: RunSpan) => Promise<R>): Promise<R>;
}
