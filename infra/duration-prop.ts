/** Durations as CDK writes them, with the field's name where one is none. */
import { Duration } from 'aws-cdk-lib';

import { shown } from '../lib/base/checks.ts';
import { InvalidOption } from '../lib/base/errors.ts';

/**
 * Seconds of a prop, with fractions: CDK's own error about them names no field.
 *
 * @param field where it was given, as in `queues.mail.timeout`
 * @returns undefined where nothing is given
 * @throws InvalidOption for what is no Duration of aws-cdk-lib
 */
export function durationSecondsOf(value: Duration, field: string): number;
export function durationSecondsOf(value: Duration | undefined, field: string): number | undefined;
export function durationSecondsOf(value: unknown, field: string): number | undefined {
  if (value === undefined) return undefined;
  // Not by its class alone: a project may hold two copies of aws-cdk-lib.
  if (value instanceof Duration || isDuration(value)) return value.toSeconds({ integral: false });
  throw new InvalidOption(`${field}: ${shown(value)} given; a Duration is allowed, such as Duration.minutes(10).`);
}

function isDuration(value: unknown): value is Pick<Duration, 'toSeconds'> {
  return typeof value === 'object' && value !== null && 'toSeconds' in value && typeof value.toSeconds === 'function';
}
