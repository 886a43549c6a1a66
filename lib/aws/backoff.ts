import type { Clock, Random } from '../base/time.ts';

const FIRST_MS = 25;
const LONGEST_MS = 2000;

/** Full jitter, for what a service answered in part and wants asked again. */
export async function backoff(attempt: number, clock: Clock, random: Random): Promise<void> {
  await clock.sleep(random.next() * Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt));
}
