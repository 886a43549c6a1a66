/** Records for people: what can be told of a task whose result is gone, too. */
import { PayloadNotFound } from '../base/errors.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { Ports } from '../ports/ports.ts';
import { withoutPayload } from '../wire/packed-text.ts';

/** `gone`: its document is stored elsewhere, and is not there; what stands here has no result and no children. */
export type ToldRecord = TaskRecord & { readonly gone?: true };

const AT_ONCE = 8;

/** In the order of `ids`. One result that is gone hides neither its own state nor the other tasks. */
export async function toldRecords(
  ids: readonly string[],
  { backend }: Pick<Ports, 'backend'>,
  nowMs: number,
): Promise<(ToldRecord | undefined)[]> {
  try {
    return await backend.get(ids, nowMs);
  } catch (error) {
    if (!PayloadNotFound.is(error)) throw error;
    if (ids.length > 1)
      return (await mapConcurrently(ids, AT_ONCE, (id) => toldRecords([id], { backend }, nowMs))).flat();
    const [record] = await backend.get(ids, nowMs, 'state');
    const meta = record?.meta === undefined ? undefined : withoutPayload(record.meta);
    return [record === undefined || meta === undefined ? record : { ...record, meta, gone: true }];
  }
}
