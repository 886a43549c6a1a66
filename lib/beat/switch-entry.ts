/** Letting an entry fire or not, and of a declared one: handing that back to its code. */
import { InvalidSchedule } from '../base/errors.ts';
import { noRules, refuseOther, type ScheduleChangeOptions, versionOf } from './change-checks.ts';
import { type BookParts, type Change, changeEntry } from './change-entry.ts';
import { changed, type SentAhead } from './edit-state.ts';
import type { ScheduleState } from './schedule-state.ts';
import type { StoredSchedule } from './schedule-view.ts';

export async function switchEntry(
  parts: BookParts,
  name: string,
  enabled: boolean,
  options: ScheduleChangeOptions,
): Promise<StoredSchedule> {
  return switchTo(parts, name, options, (state, nowMs, sent) => {
    const next = changed(state, { ...state.entry, enabled }, nowMs, sent);
    if (state.source !== 'code') return next;
    // What the code says is told by nothing else once there is a choice: a tool may not know the code.
    const declared = state.choice === null ? state.entry.enabled || state.over : (state.declared ?? true);
    return { ...next, choice: enabled, declared };
  });
}

export async function followCode(
  parts: BookParts,
  name: string,
  options: ScheduleChangeOptions,
): Promise<StoredSchedule> {
  const plan = parts.plans().find((each) => each.name === name);
  return switchTo(parts, name, options, (state, nowMs, sent) => {
    if (state.source !== 'code')
      throw new InvalidSchedule(`entry '${name}' is stored, and no code says anything of it: enable or disable it.`);
    if (state.choice === null) return state;
    const { declared = true, ...rest } = state;
    const enabled = plan?.entry.enabled ?? declared;
    return { ...changed(rest, { ...state.entry, enabled }, nowMs, sent), choice: null };
  });
}

/** The rule too, where one fires it. */
async function switchTo(
  parts: BookParts,
  name: string,
  options: ScheduleChangeOptions,
  to: (state: ScheduleState, nowMs: number, sent: SentAhead) => ScheduleState,
): Promise<StoredSchedule> {
  const version = versionOf(options);
  const { rules } = await parts.app.ports();
  const change: Change = (state, nowMs, sent) => {
    if (state === undefined) return undefined;
    refuseOther(name, version, state);
    if (state.firedBy === 'rule' && rules === undefined) throw noRules(name);
    return to(state, nowMs, sent);
  };
  const view = await changeEntry(parts, name, change, options.by, null);
  if (view.firedBy === 'rule') await rules?.setEnabled(name, view.enabled);
  return view;
}
