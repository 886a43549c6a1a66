/** The entry `celeriac/opentelemetry`. */
export { openTelemetry, type OpenTelemetryOptions } from './open-telemetry.ts';
export type { MessageSpan, RunEnd, RunSpan, SentMessage, Telemetry, TracedMessage } from '../ports/telemetry.ts';
