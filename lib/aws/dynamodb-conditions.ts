/** Under which conditions a task's item is written, and the same of an item that stands there. */
import type { ConcludeRequest, TaskRecord } from '../ports/backend.ts';
import { number, text } from './dynamodb-record.ts';
import type { UpdateBuilder } from './update-builder.ts';

/** Nobody finished it, and nobody runs this attempt or a newer one. */
export function freeFor(update: UpdateBuilder, attempt: number, nowMs: number): string {
  const [finished, attemptName, committed, lease] = ['finished', 'attempt', 'committed', 'lease'].map((field) =>
    update.name(field),
  );
  const wanted = update.value(number(attempt));
  const open = `(attribute_not_exists(${committed}) OR ${committed} < ${wanted})`;
  const abandoned = `(${attemptName} = ${wanted} AND ${open} AND ${lease} < ${update.value(number(nowMs))})`;
  return `attribute_not_exists(${finished}) AND (attribute_not_exists(${attemptName}) OR ${attemptName} < ${wanted} OR ${abandoned})`;
}

/** The claim is still ours and its outcome open. */
export function oursFor(update: UpdateBuilder, request: { readonly owner: string; readonly attempt: number }): string {
  const [owner, attempt, committed] = ['owner', 'attempt', 'committed'].map((field) => update.name(field));
  const wanted = update.value(number(request.attempt));
  return `${owner} = ${update.value(text(request.owner))} AND ${attempt} = ${wanted} AND (attribute_not_exists(${committed}) OR ${committed} < ${wanted})`;
}

/** The same of what stands there. */
export function isOurs(
  record: TaskRecord,
  { owner, attempt }: { readonly owner: string; readonly attempt: number },
): boolean {
  return record.owner === owner && record.attempt === attempt && record.committed !== attempt;
}

/** This very conclusion: of two of the same moment and text it does not matter whose it is. */
export function isConclusion(record: TaskRecord, { attempt, nowMs, status, meta }: ConcludeRequest): boolean {
  return (
    record.finishedMs === nowMs && record.committed === attempt && record.status === status && record.meta === meta
  );
}
