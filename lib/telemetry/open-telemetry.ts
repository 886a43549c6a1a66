/** Traces by `@opentelemetry/api`, which its user brings, and with it the SDK that exports them. */
import {
  type Context,
  context,
  diag,
  INVALID_SPAN_CONTEXT,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type SpanOptions,
  trace,
  type TracerProvider,
} from '@opentelemetry/api';
import { InvalidOption } from '../base/errors.ts';
import { booleanOption, refuseUnknownKeys, shown } from '../base/checks.ts';
import { errorMessage, errorStack, errorText } from '../base/error-text.ts';
import { STARTED } from '../base/states.ts';
import { STATE_OF_END } from '../ports/run-ends.ts';
import type { MessageSpan, RunEnd, SentMessage, Telemetry, TracedMessage } from '../ports/telemetry.ts';
import { CELERIAC_HEADER, CELERY_HEADERS, type Message } from '../wire/message.ts';
import { flush } from './flush.ts';
import { batchName, factsOf, onlyQueue, operationOf, type SpanNames, spanName } from './span-facts.ts';

/** How spans look, and where they go. */
export interface OpenTelemetryOptions {
  /** Whose spans these are. Default: the provider that your SDK has registered. */
  readonly tracerProvider?: TracerProvider;
  /**
   * true: a run begins a trace of its own, or goes on with that of its batch, and links to whoever sent its message. Default
   * false: it goes on with its sender's trace, as Celery's instrumentation has it.
   */
  readonly links?: boolean;
  /** `'messaging'`: `send mail`, `process mail`. `'celery'`: `apply_async/mail.send`, `run/mail.send`. Default `'messaging'`. */
  readonly names?: SpanNames;
  /** Whether each batch of a function waits until its spans are exported, 2 s at most: behind it nothing runs. Default true. */
  readonly flush?: boolean;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof OpenTelemetryOptions>(['tracerProvider', 'links', 'names', 'flush']);
const NAMES: readonly SpanNames[] = ['messaging', 'celery'];

/**
 * Spans for what an app sends and runs, in the trace of whoever sent it: the app's option `telemetry`.
 *
 * @example
 * ```ts
 * import { openTelemetry } from 'celeriac/opentelemetry';
 * const shop = new Celeriac('shop', { telemetry: openTelemetry() });
 * ```
 * @throws InvalidOption
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  refuseUnknownKeys(options, OPTIONS, 'openTelemetry()');
  const { tracerProvider, names = 'messaging', links = false, flush = true } = options;
  if (!NAMES.includes(names))
    throw new InvalidOption(`openTelemetry(): names is ${shown(names)}; 'messaging' and 'celery' are allowed.`);
  if (
    tracerProvider !== undefined &&
    typeof (tracerProvider as Partial<TracerProvider> | null)?.getTracer !== 'function'
  )
    throw new InvalidOption(
      `openTelemetry(): tracerProvider is ${shown(tracerProvider)}. Give one of OpenTelemetry's, such as a NodeTracerProvider, or leave it out.`,
    );
  booleanOption(links, 'links of openTelemetry()');
  const flushes = booleanOption(flush, 'flush of openTelemetry()');
  return new Traces({ tracerProvider, links, names, flush: flushes });
}

interface Chosen extends Omit<Required<OpenTelemetryOptions>, 'tracerProvider'> {
  readonly tracerProvider: TracerProvider | undefined;
}

type Headers = Message['headers'];

class Traces implements Telemetry {
  readonly #options: Chosen;

  constructor(options: Chosen) {
    this.#options = options;
  }

  message(message: TracedMessage): { readonly headers: Headers; readonly span?: MessageSpan } {
    const { headers, queue, task, retries, celeriac } = message;
    const fields = propagation.fields();
    // Its sender has said whose it is. A retry has the headers of the attempt before it, a part those of the part before.
    const isFirst = retries === 0 && celeriac?.part === undefined;
    if (isFirst && fields.some((name) => Object.hasOwn(headers, name))) return { headers };
    const span = this.#start(spanName('send', queue, task, this.#options.names), {
      kind: SpanKind.PRODUCER,
      attributes: factsOf('send', message),
    });
    const carried = injected(headers, trace.setSpan(context.active(), span));
    return { headers: carried, span: new Sending(span, message, this.#options.names) };
  }

  passOn(headers: Headers): Headers {
    return injected(headers, context.active());
  }

  async send<R>(messages: readonly SentMessage[], run: () => Promise<R>): Promise<R> {
    const spans = messages.flatMap(({ span }) => (span instanceof Sending ? [span] : []));
    const [first] = spans;
    if (first === undefined) return run();
    if (messages.length === 1 && first.isOpen) return first.during(run);
    for (const span of spans) span.created();
    const queue = onlyQueue(messages.map((message) => message.queue));
    const batch = this.#start(batchName('send', queue), {
      // No message has it: whose context a message carries is a producer's.
      kind: SpanKind.CLIENT,
      attributes: {
        ...operationOf('send', queue),
        ...(messages.length === 1 ? {} : { 'messaging.batch.message_count': messages.length }),
      },
      links: spans.map((span) => ({ context: span.context })),
    });
    return during(batch, run);
  }

  async batch<R>(queues: readonly string[], leftMs: () => number, run: () => Promise<R>): Promise<R> {
    const queue = onlyQueue(queues);
    const span = this.#start(batchName('receive', queue), {
      kind: SpanKind.CLIENT,
      attributes: { ...operationOf('receive', queue), 'messaging.batch.message_count': queues.length },
    });
    try {
      return await during(span, () => context.with(context.active().setValue(BATCH, span), run));
    } finally {
      if (this.#options.flush) await flush(this.#options.tracerProvider ?? trace.getTracerProvider(), leftMs());
    }
  }

  within<R>(headers: Headers, run: () => R): R {
    const sender = linkTo(headers);
    if (sender === undefined) return run();
    const batch = context.active().getValue(BATCH) as Span | undefined;
    batch?.addLink(sender);
    return context.with(this.#options.links ? context.active() : extracted(context.active(), headers), run);
  }

  run<R>(message: TracedMessage, run: (span: { ended(end: RunEnd): void }) => Promise<R>): Promise<R> {
    const { headers, queue, task } = message;
    const sender = this.#options.links ? linkTo(headers) : undefined;
    const span = this.#start(spanName('process', queue, task, this.#options.names), {
      kind: SpanKind.CONSUMER,
      attributes: factsOf('process', message),
      ...(sender === undefined ? {} : { links: [sender] }),
    });
    let ended: RunEnd | undefined;
    return during(
      span,
      () => run({ ended: (end) => (ended = end) }),
      () => note(span, ended),
      // In a FIFO queue whoever goes on interrupts what follows from an end.
      () => !isPart(ended),
    );
  }

  #start(name: string, options: SpanOptions): Span {
    const { tracerProvider = trace.getTracerProvider() } = this.#options;
    return quietly(
      () => tracerProvider.getTracer('celeriac').startSpan(name, options),
      () => trace.wrapSpanContext(INVALID_SPAN_CONTEXT),
    );
  }
}

/** The span of the batch that is handled. */
const BATCH = Symbol('celeriac batch');

/** A message's own span: that of its sending, or of its making where others are sent with it. */
class Sending implements MessageSpan {
  readonly #span: Span;
  readonly #message: TracedMessage;
  readonly #names: SpanNames;
  isOpen = true;

  constructor(span: Span, message: TracedMessage, names: SpanNames) {
    this.#span = span;
    this.#message = message;
    this.#names = names;
  }

  get context(): Link['context'] {
    return this.#span.spanContext();
  }

  created(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const { queue, task } = this.#message;
    this.#span.updateName(spanName('create', queue, task, this.#names));
    this.#span.setAttributes(factsOf('create', this.#message));
    end(this.#span);
  }

  during<R>(run: () => Promise<R>): Promise<R> {
    this.isOpen = false;
    return during(this.#span, run);
  }
}

/** `run` within the span, which ends with it. */
async function during<R>(
  span: Span,
  run: () => Promise<R>,
  before: () => void = () => {},
  isFault: () => boolean = () => true,
): Promise<R> {
  try {
    return await context.with(trace.setSpan(context.active(), span), run);
  } catch (error) {
    if (isFault()) fail(span, error);
    throw error;
  } finally {
    before();
    end(span);
  }
}

/** Samplers, processors and propagators are the user's own: what they throw is no reason why a task is not sent, or fails. */
function quietly<R>(run: () => R, otherwise: () => R): R {
  try {
    return run();
  } catch (error) {
    diag.error(`celeriac: ${errorMessage(error)}`);
    return otherwise();
  }
}

function end(span: Span): void {
  quietly(
    () => span.end(),
    () => {},
  );
}

function note(span: Span, end: RunEnd | undefined): void {
  if (end === undefined) return;
  const { kind, error, expected, overrides } = end;
  if (isPart(end)) {
    span.setAttributes({ 'celery.state': STARTED, 'celeriac.part': (overrides?.part ?? 0) - 1 });
    return;
  }
  span.setAttribute('celery.state', STATE_OF_END[kind]);
  if (kind === 'retry') span.setAttribute('celery.retry.reason', errorMessage(error));
  // As in Celery's instrumentation: a retry is no failure, nor is what the task's `throws` has.
  if (kind === 'fail' && expected !== true) fail(span, error);
}

/** A part of a task that goes on: neither a retry nor an end. */
function isPart(end: RunEnd | undefined): boolean {
  return end?.kind === 'retry' && end.overrides?.part !== undefined;
}

function fail(span: Span, error: unknown): void {
  const { name } = errorText(error);
  // What a log line says, and no more.
  const message = errorMessage(error);
  const stack = errorStack(error);
  span.setAttribute('error.type', name);
  span.recordException({ name, message, ...(stack === undefined ? {} : { stack }) });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** What a context's own fields in the headers become. Of the attempt before nothing stays. */
function injected(headers: Headers, from: Context): Headers {
  const fields = new Set(propagation.fields());
  const carrier: Record<string, unknown> = Object.fromEntries(
    Object.entries(headers).filter(([name]) => !fields.has(name)),
  );
  return quietly(
    () => {
      propagation.inject(from, carrier, {
        set: (to, name, value) => {
          // A propagator of the user's own may take any name; those of the protocol are not to be had.
          if (name !== CELERIAC_HEADER && !CELERY_HEADERS.has(name)) to[name] = value;
        },
      });
      return carrier;
    },
    () => headers,
  );
}

/** Headers are anybody's: what is no text is not there. */
function extracted(into: Context, headers: Headers): Context {
  return quietly(
    () =>
      propagation.extract(into, headers, {
        keys: (carrier) => Object.keys(carrier),
        get: (carrier, name) => {
          const value = Object.hasOwn(carrier, name) ? carrier[name] : undefined;
          return typeof value === 'string' ? value : undefined;
        },
      }),
    () => into,
  );
}

function linkTo(headers: Headers): Link | undefined {
  const sender = trace.getSpanContext(extracted(ROOT_CONTEXT, headers));
  return sender === undefined || !trace.isSpanContextValid(sender) ? undefined : { context: sender };
}
