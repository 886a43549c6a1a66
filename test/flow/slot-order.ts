/** Who waits longest is next: watched where slots are stored, below everything that goes wrong. */
import type { Clock } from '../../lib/base/time.ts';
import { isGrant } from '../../lib/flow/slots.ts';
import type { Place, SlotStore } from '../../lib/ports/slots.ts';

// Who comes to wait while another hands slots over may not be seen by it: a few requests, each of less than a second.
const UNSEEN_MS = 30_000;

interface Waiting extends Place {
  readonly key: string;
  readonly token: string;
  /** Since when it stands in the line. Before that its message has not gone, and comes again. */
  readonly fromMs: number;
}

/** Tells in `broken` whose place moved, and who was given a slot before another who has waited longer. */
export function watchOrder(slots: SlotStore, clock: Clock, broken: string[]): void {
  const waiting = new Map<string, Waiting>();
  const places = new Map<string, number>();
  const nameOf = (key: string, { sinceMs, holder }: Place): string => `${key} ${sinceMs} ${holder}`;
  const [park, unpark, write] = [slots.park.bind(slots), slots.unpark.bind(slots), slots.write.bind(slots)];
  slots.park = async (key, parked, notedMs) => {
    for (const { holder, sinceMs, token } of parked) {
      const place = places.get(`${key} ${holder}`) ?? sinceMs;
      if (place !== sinceMs) broken.push(`${holder} waited at ${place} and waits at ${sinceMs}`);
      places.set(`${key} ${holder}`, place);
      const name = nameOf(key, { sinceMs, holder });
      const fromMs = waiting.get(name)?.fromMs ?? Infinity;
      waiting.set(name, { key, holder, sinceMs, token, fromMs });
    }
    return park(key, parked, notedMs);
  };
  slots.unpark = async (key, place, token) => {
    await unpark(key, place, token);
    if ((await slots.parked(key, place)) === undefined) waiting.delete(nameOf(key, place));
  };
  slots.write = async (request) => {
    const { key, line: token, put = new Map() } = request;
    const before = await slots.read(key);
    const outcome = await write(request);
    if (!outcome.done) return outcome;
    for (const [name, each] of waiting)
      if (each.key === key && each.token === token)
        waiting.set(name, { ...each, fromMs: Math.min(each.fromMs, clock.nowMs()) });
    const line = [...waiting.values()].filter((each) => each.key === key && each.fromMs < clock.nowMs() - UNSEEN_MS);
    for (const [holder, entry] of put) {
      // What it had, it has taken up; what is given once more was next before.
      if (before.holders.has(holder)) continue;
      const own = [...waiting.values()].find((each) => each.key === key && each.holder === holder);
      // Sent for by two at once: the second finds that it has run, and passes the slot on.
      if (own === undefined && isGrant(entry)) continue;
      // Who comes does not pass a line.
      const sinceMs = own?.sinceMs ?? Infinity;
      const passed = line.filter(
        (each) => each.sinceMs < sinceMs && !put.has(each.holder) && !before.holders.has(each.holder),
      );
      if (passed.length > 0)
        broken.push(
          `${holder} ${isGrant(entry) ? 'was sent for' : 'came'} before ${passed.map((each) => each.holder).join(', ')}`,
        );
    }
    return outcome;
  };
}
