/** An entry under another name, whose counts and phase go on. */
import { checkedEntryName } from './entry.ts';
import { InvalidSchedule, ScheduleConflict, ScheduleNotFound } from '../base/errors.ts';
import { refuseExisting, refuseOther, type ScheduleChangeOptions, versionOf } from './change-checks.ts';
import { type BookParts, type Change, changeEntry, findEntry, notFound, refuseDeclared } from './change-entry.ts';
import { deleted, renamed, type SentAhead } from './edit-state.ts';
import type { ScheduleState } from './schedule-state.ts';
import type { StoredSchedule } from './schedule-view.ts';

/**
 * Three writes, none of which two others may come between unseen: the copy, which does not fire; the old entry, deleted in
 * the version that was copied; the copy again, with what the old one was at its end, and firing. Were the copy to fire from the
 * beginning, a crash would leave two entries that do; were the old one deleted first, it would leave none.
 */
export async function renameEntry(
  parts: BookParts,
  name: string,
  newName: string,
  options: ScheduleChangeOptions,
): Promise<StoredSchedule> {
  const wanted = versionOf(options);
  const { by } = options;
  if (checkedEntryName(newName) === checkedEntryName(name))
    throw new InvalidSchedule(`entry '${name}' has that name already: another one is needed.`);
  const ports = await parts.app.ports();
  const read = await findEntry(parts, name, ports);
  if (read === undefined) throw await notFound(parts, name, ports);
  refuseDeclared(read, 'change it there');
  refuseOther(name, wanted, read);
  const copy: Change = (state, nowMs, sent) => {
    refuseExisting(newName, state, newName);
    return {
      ...renamed(read, newName, nowMs, sent),
      entry: { ...read.entry, name: newName, enabled: false },
      nextDueMs: null,
    };
  };
  const { version: copied } = await changeEntry(parts, newName, copy, by);
  let last: { readonly state: ScheduleState; readonly sent: SentAhead } = { state: read, sent: {} };
  const remove: Change = (state, nowMs, sent) => {
    if (state === undefined) return undefined;
    refuseOther(name, read.version, state);
    last = { state, sent };
    return deleted(state, nowMs, sent);
  };
  try {
    await changeEntry(parts, name, remove, by);
  } catch (error) {
    // Somebody was quicker with the old one: the copy is nobody's. After anything else it may be all that is left.
    if (ScheduleConflict.is(error) || ScheduleNotFound.is(error))
      await changeEntry(parts, newName, (state, nowMs) => state && deleted(state, nowMs), by).catch(() => undefined);
    throw error;
  }
  const finish: Change = (state, nowMs) => {
    if (state === undefined) return undefined;
    refuseOther(newName, copied, state);
    const { version, tickVersion, revision, recalled } = state;
    return { ...renamed(last.state, newName, nowMs, last.sent), version: version + 1, tickVersion, revision, recalled };
  };
  return changeEntry(parts, newName, finish, by);
}
