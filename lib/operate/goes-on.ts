/** A task whose part has ended, and whose next one comes: to people neither a retry nor an end. Pure. */
import { RETRY, STARTED } from '../base/states.ts';
import type { TaskRecord } from '../ports/backend.ts';
import { readSettlement } from '../worker/committed.ts';

export function goesOn({ status, settlement }: Pick<TaskRecord, 'status' | 'settlement'>): boolean {
  return status === RETRY && readSettlement(settlement).retry?.overrides.part !== undefined;
}

/** Between two parts a task has started, and waits for no retry. */
export function stateOf(record: Pick<TaskRecord, 'status' | 'settlement'>): string {
  return goesOn(record) ? STARTED : record.status;
}
