/** The results of a group, in the order of its members. */
import { groupMemberId } from '../group-parts.ts';
import { ChordError } from '../errors.ts';
import { decodeJson } from '../json.ts';
import { DYNAMODB_MAX_BATCH_GETS } from '../limits.ts';
import type { Ports, TaskRecord } from '../ports.ts';
import { readDocument, restoreError } from '../result-document.ts';
import { sideBySide } from '../side-by-side.ts';
import { SUCCESS } from '../states.ts';

/** What `policy: 'settled'` hands to the body for each member. */
export type SettledResult<R = unknown> =
  | { readonly status: 'SUCCESS'; readonly value: R }
  | { readonly status: string; readonly error: { readonly type: string; readonly message: string } };

// Pages read at the same time: a hundred thousand results in some seconds, without a thousand requests at once.
const WIDTH = 8;

export async function gatherResults(
  { groupId, size, policy }: { readonly groupId: string; readonly size: number; readonly policy: string },
  ports: Pick<Ports, 'backend' | 'groups' | 'clock'>,
): Promise<unknown[]> {
  const { memberIds } = await ports.groups.count(groupId);
  const nowMs = ports.clock.nowMs();
  const starts = Array.from(
    { length: Math.ceil(size / DYNAMODB_MAX_BATCH_GETS) },
    (_, page) => page * DYNAMODB_MAX_BATCH_GETS,
  );
  const pages = await sideBySide(starts, WIDTH, async (start) => {
    const ids = Array.from({ length: Math.min(DYNAMODB_MAX_BATCH_GETS, size - start) }, (_, index) => {
      const place = start + index;
      return memberIds.get(place) ?? groupMemberId(groupId, place);
    });
    const records = await ports.backend.get(ids, nowMs);
    return ids.map((id, index) => (policy === 'settled' ? settledOf(records[index]) : valueOf(records[index], id)));
  });
  return pages.flat();
}

/** @throws ChordError for a result that is gone: its chord waited longer than results are kept. */
function valueOf(record: TaskRecord | undefined, id: string): unknown {
  if (record === undefined)
    throw new ChordError(
      `Dependency ${id} has no result any more: it expired before its chord was complete. Raise resultExpires.`,
    );
  if (record.ignored === true && record.settlement !== undefined)
    return (decodeJson(record.settlement) as { readonly value?: unknown }).value ?? null;
  return record.meta === undefined ? null : readDocument(record.meta).result;
}

function settledOf(record: TaskRecord | undefined): SettledResult {
  if (record === undefined) return { status: 'EXPIRED', error: { type: 'EXPIRED', message: 'its result has expired' } };
  const { status } = record;
  if (status === SUCCESS) return { status: 'SUCCESS', value: valueOf(record, record.id) };
  const document = record.meta === undefined ? undefined : readDocument(record.meta);
  if (document === undefined || document.result === null)
    return { status, error: { type: status, message: `ended as ${status}` } };
  const error = restoreError(document);
  return { status, error: { type: error.name, message: error.message } };
}
