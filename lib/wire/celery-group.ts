/** A group as Celery stores it (celery/result.py). */
import { decodeJson, encodeJson } from './json.ts';
import { DYNAMODB_MAX_ITEM_BYTES } from '../base/limits.ts';
import { MessageTooLarge } from '../base/errors.ts';

/** A group as Celery stores it (celery/result.py, `as_tuple`): itself and its members, each with what came before it. */
export function celeryGroupDocument(groupId: string, memberIds: readonly string[]): string {
  return encodeJson({ result: [[groupId, null], memberIds.map((id) => [[id, null], null])] }, 'group');
}

// Keys and the other attributes.
const GROUP_OVERHEAD_BYTES = 1024;

/** The document of a group that fits an item. @throws MessageTooLarge */
export function checkGroupSize({
  groupId,
  memberIds,
}: {
  readonly groupId: string;
  readonly memberIds: readonly string[];
}): string {
  const json = celeryGroupDocument(groupId, memberIds);
  const bytes = Buffer.byteLength(json);
  if (bytes + GROUP_OVERHEAD_BYTES <= DYNAMODB_MAX_ITEM_BYTES) return json;
  throw new MessageTooLarge(
    `Group ${groupId} has ${memberIds.length} members, whose ids take ${bytes} bytes; Celery stores a group in one item of ${DYNAMODB_MAX_ITEM_BYTES}. Make several groups of it, or let no member of it run in Python.`,
  );
}

/** Member ids of a group as Celery stores it: `{"result": [[id, parent], [[[id, parent], null], ...]]}`, groups within flattened. */
export function celeryGroupMembers(text: string): readonly string[] | undefined {
  let data: unknown;
  try {
    data = decodeJson(text);
  } catch {
    return undefined;
  }
  const tuple = typeof data === 'object' && data !== null ? (data as { readonly result?: unknown }).result : undefined;
  return Array.isArray(tuple) && Array.isArray(tuple[1]) ? tuple[1].flatMap(taskIdsIn) : undefined;
}

/** Ids of the tasks in a result as Celery writes it (celery/result.py, `result_from_tuple`), groups as their members. */
export function taskIdsIn(tuple: unknown): string[] {
  if (!Array.isArray(tuple)) return [];
  const [head, members] = tuple as readonly unknown[];
  if (Array.isArray(members)) return members.flatMap(taskIdsIn);
  const id: unknown = Array.isArray(head) ? head[0] : undefined;
  return typeof id === 'string' ? [id] : [];
}
