/** Dead letters by what they have in common. Pure. */
import type { DeadLetter } from './letter.ts';

/** Letters of one queue, task, error type and shape of message. */
export interface LetterGroup {
  /** Celery's name of the queue. */
  readonly queue: string;
  /** Eight hexadecimal digits, by which `redrive()` and `drop()` know the group. */
  readonly fingerprint: string;
  /** Name of the task; absent where it cannot be read. */
  readonly task?: string;
  /** The newest of their errors: name and message. */
  readonly error: string;
  /** Name of the error. */
  readonly errorType: string;
  /** Why the newest was put aside. */
  readonly reason: string;
  /** How many there are. */
  readonly count: number;
  /** When the oldest was put aside. */
  readonly firstAt: Date;
  /** When the newest was put aside. */
  readonly lastAt: Date;
  /** Task ids of the newest, three at most. */
  readonly ids: readonly string[];
}

const IDS_SHOWN = 3;

/** @param letters oldest first */
export function groupLetters(letters: readonly DeadLetter[]): LetterGroup[] {
  const groups = new Map<string, DeadLetter[]>();
  for (const letter of letters) {
    const key = `${letter.queue}\n${letter.fingerprint}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [letter]);
    else group.push(letter);
  }
  return [...groups.values()].map(groupOf).toSorted((left, right) => right.count - left.count);
}

function groupOf(letters: readonly DeadLetter[]): LetterGroup {
  const [first, last] = [letters[0], letters.at(-1)] as [DeadLetter, DeadLetter];
  const { queue, fingerprint, task, error, errorType, reason } = last;
  return {
    queue,
    fingerprint,
    ...(task === undefined ? {} : { task }),
    error,
    errorType,
    reason,
    count: letters.length,
    firstAt: first.failedAt,
    lastAt: last.failedAt,
    ids: letters.slice(-IDS_SHOWN).flatMap(({ id }) => (id === undefined ? [] : [id])),
  };
}
