/** The entry `celeriac/opentelemetry`. */
export type { SpanNames } from './span-facts.ts';
export { openTelemetry, type OpenTelemetryOptions } from './open-telemetry.ts';
export type { RunEndKind } from '../ports/run-ends.ts';
export type { MessageSpan, RunEnd, RunSpan, SentMessage, Telemetry, TracedMessage } from '../ports/telemetry.ts';
