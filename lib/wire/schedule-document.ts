/** The part of a stored schedule entry that workers read; the beat's `ScheduleState` is the whole of it. */
import { isObject } from './fields.ts';
import { decodeJson } from './json.ts';

export interface ScheduleSwitch {
  /** What an operator said of a declared entry; null: nothing, the code decides. Kept over deployments. */
  readonly choice: boolean | null;
  /** Deleted, and kept for a while: what is stored anew under its name counts on from it. */
  readonly deleted: boolean;
}

/** Whether an operator has switched an entry off. What cannot be read says nothing, and the sweep tells of it. */
export function isSwitchedOff(document: string): boolean {
  let data: unknown;
  try {
    data = decodeJson(document);
  } catch {
    return false;
  }
  if (!isObject(data)) return false;
  const { choice, deleted } = data as Partial<ScheduleSwitch>;
  return choice === false && deleted !== true;
}
