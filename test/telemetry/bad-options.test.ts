import { openTelemetry, type OpenTelemetryOptions } from 'celeriac/opentelemetry';
import { expect, it } from 'vitest';

it.each([[null], [5], [Number.NaN], [true], [() => 1]])('options that are %j are refused', (options) => {
  expect(() => openTelemetry(options as unknown as OpenTelemetryOptions)).toThrow(
    /^openTelemetry\(\): .+ given; an object is allowed, with flush, links, names, tracerProvider\.$/,
  );
});

it.each([
  ['tracerProvider', null, 'openTelemetry(): tracerProvider is null. Give one'],
  ['links', null, 'links of openTelemetry(): null given; true or false is allowed.'],
  ['flush', null, 'flush of openTelemetry(): null given; true or false is allowed.'],
  ['names', Number.NaN, "openTelemetry(): names is NaN; 'messaging' and 'celery' are allowed."],
])('%s that is %j is refused', (name, value, message) => {
  expect(() => openTelemetry({ [name]: value })).toThrow(message);
});
