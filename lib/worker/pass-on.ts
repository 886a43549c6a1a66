/** A slot that was given to a message which does not run. */
import { errorLine } from '../base/error-text.ts';
import { isPassing } from '../base/passing.ts';
import { holderName } from '../flow/slots.ts';
import { isSlotsKey } from '../ports/slot-keys.ts';
import type { Message } from '../wire/message.ts';
import { attemptNumber } from '../wire/attempt-number.ts';
import { limitOf } from './slot-limit.ts';
import { giveBack } from './slot-pump.ts';
import { slotPorts, type SlotPorts } from './slot-ports.ts';
import type { Worker } from './worker.ts';

// A task's name, and its key.
const LONGEST_KEY_CHARACTERS = 512;

/**
 * A message that was sent for and does not run gives its slot to the next: it has expired, is not known, or goes on to
 * its rate slot. Its header tells where: its task may be unknown here.
 */
export async function passOn(message: Message, { app, ports }: Pick<Worker, 'app' | 'ports'>): Promise<void> {
  const { slots: key } = message.celeriac;
  // Whoever can send has written it.
  if (typeof key !== 'string' || key.length > LONGEST_KEY_CHARACTERS || !isSlotsKey(key)) return;
  const holder = holderName(message.id, attemptNumber(message));
  const tools = slotPorts(app, ports);
  await orLeased(async () => giveBack(key, await limitOf(key, app), [{ holder }], tools), tools);
}

/** What is refused for good is left to the lease. */
export async function orLeased(run: () => Promise<void>, { logger }: SlotPorts): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (isPassing(error)) throw error;
    logger.log('error', `A slot was not given back, and is kept until its lease ends: ${errorLine(error)}`, {});
  }
}
