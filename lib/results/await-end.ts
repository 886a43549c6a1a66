/** Waiting for the end of a task: asking the store again and again. */
import { type Duration, durationSeconds } from '../base/duration.ts';
import { TimeoutError } from '../base/errors.ts';
import { isFinal } from '../base/states.ts';
import type { Clock } from '../base/time.ts';

interface WaitOptions {
  readonly timeout?: Duration;
  readonly interval?: Duration;
  readonly onInterval?: () => void;
}

/**
 * @param read what is known of the task now
 * @returns what is known once it has ended. @throws TimeoutError
 */
export async function awaitEnd<D extends { readonly status: string }>(
  id: string,
  read: () => Promise<D>,
  options: WaitOptions,
  clock: Clock,
): Promise<D> {
  const timeoutMs = options.timeout === undefined ? Infinity : durationSeconds(options.timeout, 'timeout') * 1000;
  const intervalMs = durationSeconds(options.interval ?? 0.5, 'interval', 0.001) * 1000;
  const startedMs = clock.nowMs();
  for (;;) {
    const document = await read();
    if (isFinal(document.status)) return document;
    const leftMs = timeoutMs - (clock.nowMs() - startedMs);
    if (leftMs <= 0) {
      throw new TimeoutError(
        `Task ${id} did not finish within ${timeoutMs / 1000} s; its state is ${document.status}.`,
      );
    }
    options.onInterval?.();
    await clock.sleep(Math.min(intervalMs, leftMs));
  }
}
