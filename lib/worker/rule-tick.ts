/** Ticks that a rule has sent, before they run. */
import type { BeatHeader } from '../wire/rule-message.ts';
import { isSwitchedOff } from '../wire/schedule-document.ts';
import { MAX_ENTRY_NAME_CHARACTERS } from '../base/limits.ts';
import type { Message } from '../wire/message.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Whether an operator has switched off the entry whose rule sent a message. A deployment that changes a rule enables it
 * again, and the sweeper, which puts that right, comes up to some minutes later; EventBridge itself is slow to stop one.
 *
 * @param message as it came, before `fromRule`.
 */
export async function isOfDisabledEntry(message: Message, { schedules }: Pick<Ports, 'schedules'>): Promise<boolean> {
  const beat = message.celeriac['beat'] as BeatHeader | undefined;
  // Only what a rule has written has a `time`, retries of it not: a tick that has begun goes on.
  if (beat?.time === undefined || !isName(beat.entry)) return false;
  const [item] = await schedules.read([beat.entry]);
  return item !== undefined && isSwitchedOff(item.document);
}

/** Untrusted: anybody who may send can name an entry. */
function isName(entry: unknown): entry is string {
  return typeof entry === 'string' && entry !== '' && entry.length <= MAX_ENTRY_NAME_CHARACTERS;
}
