/** What every store of rate limits computes and names alike. Pure. */

/** A time of a line after its pace was changed at `atMicros`. What has passed stays where it was. */
export function movedMicros(timeMicros: number, atMicros: number, fromMicros: number, toMicros: number): number {
  if (timeMicros <= atMicros) return timeMicros;
  // A quotient first: the product of a long wait and a long pace is beyond what a number holds exactly.
  return atMicros + Math.ceil((timeMicros - atMicros) * (toMicros / fromMicros));
}

/** Partition of the line of one limit and key. */
export function ratePartition(key: string): string {
  return `rate#${key}`;
}

/** Partition of what is changed at run time. */
export const CONTROL_PARTITION = 'control';
/** Before the task's name. */
export const CONTROL_RATE_PREFIX = 'rate#';

/** Partition of the places that a task's attempts keep. */
export function keptSlotPartition(id: string): string {
  return `rate-slot#${id}`;
}
