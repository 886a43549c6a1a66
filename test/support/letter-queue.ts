/** A dead-letter queue on a clock of its own, which hides no more letters than SQS does, and who walks through it. */
import { expect } from 'vitest';

import { walkLetters } from '../../lib/operate/walk-letters.ts';
import type { DeadLetters, ReceivedLetter, ReceiveLetters } from '../../lib/ports/dead-letters.ts';

// SQS refuses to hand out more of a queue than are in flight already.
export const MOST_IN_FLIGHT = 120_000;

interface Letter {
  readonly index: number;
  visibleMs: number;
  receipts: number;
  isGone: boolean;
}

interface Ways {
  /** Where letters lie that are visible again: in their old place, or behind all others. */
  readonly shown: 'front' | 'back';
  /** How long a receive takes. */
  readonly receiveMs: number;
}

/** A queue on a clock of its own. */
export class LetterQueue implements DeadLetters {
  nowMs = 0;
  mostInFlight = 0;
  readonly letters: Letter[];
  readonly #ways: Ways;
  /** In the order in which they are handed out. */
  #visible: Letter[];
  readonly #hidden = new Set<Letter>();
  #at = 0;

  constructor(count: number, ways: Ways) {
    this.#ways = ways;
    this.letters = Array.from({ length: count }, (_, index) => ({ index, visibleMs: 0, receipts: 0, isGone: false }));
    this.#visible = [...this.letters];
  }

  get inFlight(): number {
    return this.#hidden.size;
  }

  receive(_queue: string, { limit, hiddenSeconds }: ReceiveLetters): Promise<ReceivedLetter[]> {
    this.nowMs += this.#ways.receiveMs;
    // Hidden in this order: the first whose time is not over ends it.
    const back: Letter[] = [];
    for (const letter of this.#hidden) {
      if (letter.visibleMs > this.nowMs) break;
      back.push(letter);
    }
    for (const letter of back) this.#hidden.delete(letter);
    this.#return(back);
    const taken = this.#visible.slice(this.#at, this.#at + limit);
    this.#at += taken.length;
    if (this.#hidden.size + taken.length > MOST_IN_FLIGHT) throw new Error('OverLimit');
    for (const letter of taken) {
      letter.visibleMs = this.nowMs + hiddenSeconds * 1000;
      letter.receipts += 1;
      this.#hidden.add(letter);
    }
    this.mostInFlight = Math.max(this.mostInFlight, this.#hidden.size);
    return Promise.resolve(taken.map(receivedOf));
  }

  show(_queue: string, receipts: readonly string[]): Promise<void> {
    const shown = receipts.map((receipt) => this.#by(receipt)).filter((letter) => this.#hidden.delete(letter));
    this.#return(shown);
    return Promise.resolve();
  }

  remove(_queue: string, receipts: readonly string[]): Promise<void> {
    for (const receipt of receipts) {
      const letter = this.#by(receipt);
      letter.isGone = true;
      this.#hidden.delete(letter);
    }
    return Promise.resolve();
  }

  count(): ReturnType<DeadLetters['count']> {
    return Promise.resolve({ visible: this.#visible.length - this.#at, hidden: this.#hidden.size, delayed: 0 });
  }

  #by(receipt: string): Letter {
    return this.letters[Number(receipt.split(' ')[0])] as Letter;
  }

  #return(some: readonly Letter[]): void {
    if (some.length === 0) return;
    const rest = this.#visible.slice(this.#at);
    this.#visible = this.#ways.shown === 'front' ? [...some, ...rest] : [...rest, ...some];
    this.#at = 0;
  }
}

function receivedOf({ index, receipts }: Letter): ReceivedLetter {
  return { messageId: `${index}`, receipt: `${index} ${receipts}`, body: '', attributes: {}, sentMs: 0 };
}

/** Walks through all; those that `isMeant` are deleted. */
export async function walked(queue: LetterQueue, isMeant: (index: number) => boolean) {
  const visits = new Map<string, number>();
  let receives = 0;
  const isComplete = await walkLetters({ letters: queue, queue: 'mail' }, async (received) => {
    receives += 1;
    if (receives > 200_000) throw new Error('without an end');
    for (const { messageId } of received) visits.set(messageId, (visits.get(messageId) ?? 0) + 1);
    const meant = received.filter(({ messageId }) => isMeant(Number(messageId)));
    await queue.remove(
      'mail',
      meant.map(({ receipt }) => receipt),
    );
    return { gone: new Set(meant.map(({ messageId }) => messageId)) };
  });
  expect([...visits.values()].every((times) => times === 1)).toBe(true);
  // Whoever comes next sees all that is left, at once.
  expect(queue.inFlight).toBe(0);
  return { isComplete, seen: visits.size, left: queue.letters.filter(({ isGone }) => !isGone).length };
}

export const QUICK = { shown: 'back', receiveMs: 20 } as const;
