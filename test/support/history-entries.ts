/** Ends of attempts, drawn: as workers write them, with the texts that anybody may send. */
import fc from 'fast-check';

import type { HistoryEntry } from '../../lib/wire/history-entry.ts';

export const HISTORY_START_MS = Date.parse('2030-05-06T07:08:09Z');

/** Text of hostile callers: control characters, halves of surrogate pairs, what JSON and prototypes are made of. */
export const hostileText = (maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength }),
    fc.string({
      unit: fc.constantFrom('\u0000', '\u001B', '"', '\\', '\uD800', '\uDC00', '\u2028', '€', '💥'),
      maxLength,
    }),
    fc.constantFrom('__proto__', 'constructor', '', '#', '/', 'null').map((text) => text.slice(0, maxLength)),
  );

/** A map keeps only what is there: fields that are undefined would come back absent. */
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

function without<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** Times as they are: due, begun, ended. */
const times = fc
  .tuple(fc.nat(3_600_000), optional(fc.tuple(fc.nat(900_000), optional(fc.nat(86_400_000)))))
  .map(([end, began]) => {
    const endedMs = HISTORY_START_MS + end;
    if (began === undefined) return { endedMs };
    const startedMs = endedMs - began[0];
    return without({ endedMs, startedMs, dueMs: began[1] === undefined ? undefined : startedMs - began[1] });
  });

export const historyEntry: fc.Arbitrary<HistoryEntry> = fc
  .tuple(
    fc.record({
      id: fc.oneof(fc.uuid(), hostileText(128)),
      attempt: fc.nat(3),
      task: fc.oneof(fc.constantFrom('math.add', 'mail.send'), hostileText(255)),
      queue: fc.constantFrom('default', 'mail'),
      state: fc.constantFrom('SUCCESS', 'FAILURE', 'RETRY', 'REVOKED', 'REJECTED', 'IGNORED'),
    }),
    times,
    fc.record({
      deliveries: optional(fc.integer({ min: 2, max: 9 })),
      lost: optional(fc.integer({ min: 1, max: 9 })),
      repr: optional(hostileText(80)),
      error: optional(hostileText(160)),
      parentId: optional(hostileText(128)),
      deadLetter: optional(hostileText(160)),
      entry: optional(hostileText(200)),
      previousMs: optional(fc.nat(HISTORY_START_MS)),
      again: optional(fc.constant(true as const)),
    }),
  )
  .map(([told, when, more]) => ({ ...told, ...when, ...without(more) }) as HistoryEntry);

export const historyEntries: fc.Arbitrary<HistoryEntry[]> = fc.array(historyEntry, { maxLength: 12 });
