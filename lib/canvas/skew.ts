/** A group whose members start one after another (celery/canvas.py, `group.skew`). */
import { type Duration, durationSeconds } from '../base/duration.ts';
import { InvalidSignature } from '../base/errors.ts';
import type { Signature } from '../wire/signature.ts';
import { kindOf, signaturesIn, withKwargs, withOptions } from './parts.ts';

/** How the members of a group are spread in time. */
export interface SkewOptions {
  /** When the first member starts, from the sending. Default 1 s. */
  readonly start?: Duration;
  /** No member starts later; those that would start with the last one. Default: no end. */
  readonly stop?: Duration;
  /** From one member to the next. Default 1 s. */
  readonly step?: Duration;
}

/** @throws InvalidSignature for what is no group, InvalidOption for what is no duration. */
export function skewed(group: Signature, { start = 1, stop, step = 1 }: SkewOptions): Signature {
  if (kindOf(group) !== 'group')
    throw new InvalidSignature(`skew(): ${group.task} is no group; only the members of a group can be spread.`);
  const startSeconds = durationSeconds(start, 'skew() start');
  const stepSeconds = durationSeconds(step, 'skew() step');
  const stopSeconds = stop === undefined ? Infinity : durationSeconds(stop, 'skew() stop');
  const lastStep = stepSeconds === 0 ? 0 : Math.max(0, Math.floor((stopSeconds - startSeconds) / stepSeconds));
  const tasks = signaturesIn(group, 'tasks').map((member, index) =>
    withOptions(member, { countdown: startSeconds + stepSeconds * Math.min(index, lastStep) }),
  );
  return withKwargs(group, { tasks: Object.freeze(tasks) });
}
