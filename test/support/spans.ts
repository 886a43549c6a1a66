/** Spans in memory, as an SDK of OpenTelemetry exports them. */
import { context, propagation, type Span, SpanKind, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';

export interface Spans {
  readonly provider: NodeTracerProvider;
  readonly exporter: InMemorySpanExporter;
  /** Those that have ended, in the order in which they began. */
  all(): readonly ReadableSpan[];
  /** The only one of this name, and of this task where one is given. */
  one(name: string, task?: string): ReadableSpan;
  /** Calls `run` within a span of its own. */
  within<R>(name: string, run: (span: Span) => Promise<R>): Promise<R>;
  stop(): Promise<void>;
}

/** Registers an SDK for this process, as a program does at its start. */
export function startSpans(): Spans {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.register();
  const all = (): readonly ReadableSpan[] =>
    exporter.getFinishedSpans().toSorted(({ startTime: [a, an] }, { startTime: [b, bn] }) => a - b || an - bn);
  return {
    provider,
    exporter,
    all,
    one: (name, task) => {
      const found = all().filter((span) => span.name === name && (task === undefined || taskOf(span) === task));
      if (found.length !== 1) throw new Error(`${found.length} spans '${name}' ${task ?? ''} among:\n${shown(all())}`);
      return found[0] as ReadableSpan;
    },
    within: (name, run) =>
      provider.getTracer('test').startActiveSpan(name, async (span) => {
        try {
          return await run(span);
        } finally {
          span.end();
        }
      }),
    stop: async () => {
      await provider.shutdown();
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

export function taskOf({ attributes }: ReadableSpan): string | undefined {
  return attributes['celery.task_name'] as string | undefined;
}

export function idOf(span: ReadableSpan): string {
  return span.spanContext().spanId;
}

export function traceOf(span: ReadableSpan): string {
  return span.spanContext().traceId;
}

/** Each span below its parent, by name and task, in the order in which they began. */
export function treeOf(spans: readonly ReadableSpan[]): readonly string[] {
  const ids = new Set(spans.map(idOf));
  const below = (parent: string | undefined, depth: number): string[] =>
    spans
      .filter(({ parentSpanContext }) =>
        parent === undefined
          ? parentSpanContext === undefined || !ids.has(parentSpanContext.spanId)
          : parentSpanContext?.spanId === parent,
      )
      .flatMap((span) => [`${'  '.repeat(depth)}${label(span)}`, ...below(idOf(span), depth + 1)]);
  return below(undefined, 0);
}

function label(span: ReadableSpan): string {
  const task = taskOf(span);
  return `${SpanKind[span.kind].toLowerCase()} ${span.name}${task === undefined ? '' : ` ${task}`}`;
}

function shown(spans: readonly ReadableSpan[]): string {
  return treeOf(spans).join('\n');
}
