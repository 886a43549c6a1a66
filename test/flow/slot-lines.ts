/** Whoever waits can be listed: watched where slots are stored, below everything that goes wrong. */
import type { Clock } from '../../lib/base/time.ts';
import type { SlotStore } from '../../lib/ports/slots.ts';

/** Tells in `broken` of each key that has a line, and that nobody would find. */
export function watchLines(slots: SlotStore, clock: Clock, broken: string[]): void {
  const [write, read] = [slots.write.bind(slots), slots.read.bind(slots)];
  const look = async (key: string): Promise<void> => {
    const { line } = await read(key);
    if (line === undefined || (await slots.line(key, 1)).length === 0) return;
    const { keys } = await slots.lines({ nowMs: clock.nowMs(), limit: 1000 });
    if (!keys.includes(key)) broken.push(`${key} has a line at ${clock.nowMs()} that is not listed`);
  };
  slots.write = async (request) => {
    const outcome = await write(request);
    await look(request.key);
    return outcome;
  };
  slots.read = async (key) => {
    await look(key);
    return read(key);
  };
}
