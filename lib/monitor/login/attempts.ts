/** How often somebody may try to log in: our own rate limiter, so that it holds over all instances of a function. */
import { MONITOR_LOGINS_AT_ONCE, MONITOR_LOGIN_PACE_SECONDS } from '../../base/limits.ts';
import type { Ports } from '../../ports/ports.ts';
import { Refused } from '../problem.ts';

const MICROS = 1_000_000;

/**
 * Takes one try of a caller. The line is looked at before a place is taken, so that whoever goes on trying does not make it
 * longer for ever.
 *
 * @param from address of the caller, as Lambda or the socket tells it
 * @returns how many are left
 * @throws Refused where there were too many
 */
export async function takeAttempt(from: string, { rates, clock }: Pick<Ports, 'rates' | 'clock'>): Promise<number> {
  // Without a store of rates there is no deployed service.
  if (rates === undefined) return 0;
  const key = `monitor-login#${from}`;
  const paceMicros = MONITOR_LOGIN_PACE_SECONDS * MICROS;
  const nowMs = clock.nowMs();
  const line = await rates.reserve({ key, count: 0, paceMicros, nowMs });
  const aheadMicros = Math.max(0, (line?.nextMicros ?? Infinity) - nowMs * 1000);
  const used = Math.ceil(aheadMicros / paceMicros);
  if (used >= MONITOR_LOGINS_AT_ONCE) {
    const seconds = Number.isFinite(aheadMicros)
      ? Math.ceil((aheadMicros - (MONITOR_LOGINS_AT_ONCE - 1) * paceMicros) / MICROS)
      : 1;
    throw new Refused({
      status: 429,
      code: 'TOO_MANY_ATTEMPTS',
      title: 'Too many tries.',
      detail: `Try again in ${seconds} s.`,
    });
  }
  await rates.reserve({ key, count: 1, paceMicros, nowMs });
  return MONITOR_LOGINS_AT_ONCE - used - 1;
}
