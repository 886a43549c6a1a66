/** What an app tells of itself to others, where its large payloads go and what encrypts them, checked. In deployed functions its twin takes it as it is: the same was checked at synth. */
import { shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { checkCodec } from './check-codec.ts';
import { type LargePayloadsOptions, resolveLargePayloads } from './large-payloads.ts';
import { type MetricsOption, resolveMetrics } from './metrics.ts';
import type { Codec } from '../ports/codec.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** @throws InvalidOption */
export function checkReports({
  telemetry,
  metrics,
  largePayloads,
  codec,
}: {
  readonly telemetry?: Telemetry;
  readonly metrics?: MetricsOption;
  readonly largePayloads?: LargePayloadsOptions;
  readonly codec?: Codec;
}): void {
  if (codec !== undefined) checkCodec(codec);
  if (largePayloads !== undefined) resolveLargePayloads(largePayloads);
  if (metrics !== undefined) resolveMetrics(metrics);
  if (telemetry !== undefined && typeof (telemetry as Partial<Telemetry> | null)?.within !== 'function')
    throw new InvalidOption(
      `telemetry: ${shown(telemetry)} given. Give openTelemetry() of 'celeriac/opentelemetry', or leave it out.`,
    );
}
