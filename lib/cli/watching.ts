/** Commands that look again and again. */
import { InvalidArgumentError, Option } from 'commander';

import { durationSeconds } from '../base/duration.ts';
import type { Tools } from './tools.ts';

/** An option that takes seconds, or text such as `'5s'`; each look costs something, so that there is a least. */
export function secondsOption(flags: string, description: string, leastSeconds: number): Option {
  return new Option(flags, description).argParser((text) => {
    let seconds: number;
    try {
      seconds = durationSeconds(/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text, 'duration');
    } catch {
      throw new InvalidArgumentError("Give seconds, or text such as '5s', '1m'.");
    }
    if (seconds >= leastSeconds) return seconds;
    throw new InvalidArgumentError(`Give at least ${leastSeconds} s: each look reads, and reading costs.`);
  });
}

/** Looks once, or until somebody ends it, which is no failure. */
export async function watching(
  again: boolean,
  seconds: number,
  { terminal }: Tools,
  look: () => Promise<void>,
): Promise<void> {
  if (!again) return look();
  const signal = terminal.interrupted();
  while (!signal.aborted) {
    await look();
    try {
      await terminal.clock.sleep(seconds * 1000, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
