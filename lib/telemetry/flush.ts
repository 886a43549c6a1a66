/** Spans are exported before a function's invocation ends: it is frozen then, and may never go on. */
import { ProxyTracerProvider, type TracerProvider } from '@opentelemetry/api';
import { TELEMETRY_FLUSH_MARGIN_SECONDS, TELEMETRY_FLUSH_SECONDS } from '../base/limits.ts';
import { systemClock } from '../base/time.ts';

interface Flushing {
  forceFlush(): Promise<unknown>;
}

/**
 * Waits for a while only, and for nothing that fails: a collector that is away is no reason to keep tasks waiting.
 *
 * @param leftMs how long the invocation still lasts
 */
export async function flush(given: TracerProvider, leftMs: number): Promise<void> {
  const provider = given instanceof ProxyTracerProvider ? given.getDelegate() : given;
  if (!isFlushing(provider)) return;
  const longestMs = Math.min(TELEMETRY_FLUSH_SECONDS * 1000, leftMs - TELEMETRY_FLUSH_MARGIN_SECONDS * 1000);
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    cancel = systemClock.schedule(longestMs, resolve);
  });
  try {
    await Promise.race([provider.forceFlush(), late]);
  } catch {
    // Its exporter tells why; nothing here can help it.
  } finally {
    cancel();
  }
}

function isFlushing(provider: TracerProvider): provider is TracerProvider & Flushing {
  return 'forceFlush' in provider && typeof provider.forceFlush === 'function';
}
