/** The results of a group, in the order of its members. */
import { errorMessage } from '../base/error-text.ts';
import type { Gather, Sent } from '../canvas/compile.ts';
import { groupMemberId } from '../wire/group-ids.ts';
import { ChordError } from '../base/errors.ts';
import { decodeJson, decodeJsonKeepingTypes, encodeJson } from '../wire/json.ts';
import { DYNAMODB_MAX_BATCH_GETS } from '../base/limits.ts';
import { COUNTED_BY_CELERY } from '../wire/message.ts';
import type { Ports } from '../ports/ports.ts';
import type { TaskRecord } from '../ports/backend.ts';
import { readDocument, refuseEncrypted, restoreError } from '../wire/result-document.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { SUCCESS } from '../base/states.ts';
import type { SettledResult } from '../results/settled.ts';

// Pages read at the same time: a hundred thousand results in some seconds, without a thousand requests at once.
const WIDTH = 8;
// Results of a larger header are read by the body itself: the settling task must stay short.
const INLINE_MEMBERS = 500;
// Twice in base64 this is a third of what SQS takes.
const INLINE_BYTES = 200_000;

type GatherPorts = Pick<Ports, 'backend' | 'groups' | 'celeryGroups' | 'clock'>;

/** @throws ChordError for a group that Celery stored and nobody finds any more. */
async function memberIdsOf({ groupId, size, policy }: Gather, ports: GatherPorts): Promise<readonly string[]> {
  if (policy !== COUNTED_BY_CELERY) {
    const { memberIds } = await ports.groups.count(groupId);
    return Array.from({ length: size }, (_, index) => memberIds.get(index) ?? groupMemberId(groupId, index));
  }
  const ids = await ports.celeryGroups?.members(groupId, ports.clock.nowMs());
  if (ids !== undefined) return ids;
  throw new ChordError(`GroupResult ${groupId} no longer exists: it expired before the body of its chord ran.`);
}

/** The results of a group, read when its chord's body runs. @throws ChordError */
export function gatherResults(gather: Gather, ports: GatherPorts): Promise<unknown[]> {
  return resultsOf(gather, ports, decodeJson);
}

async function resultsOf(gather: Gather, ports: GatherPorts, parse: (text: string) => unknown): Promise<unknown[]> {
  const ids = await memberIdsOf(gather, ports);
  const nowMs = ports.clock.nowMs();
  const starts = Array.from({ length: Math.ceil(ids.length / DYNAMODB_MAX_BATCH_GETS) }, (_, page) => page);
  // Page by page: of a hundred thousand records no more than some hundreds are held at a time.
  const pages = await mapConcurrently(starts, WIDTH, async (page) => {
    const some = ids.slice(page * DYNAMODB_MAX_BATCH_GETS, (page + 1) * DYNAMODB_MAX_BATCH_GETS);
    const records = await ports.backend.get(some, nowMs);
    return some.map((id, index) => resultOf(gather, records[index], id, parse));
  });
  return pages.flat();
}

function resultOf(
  { policy }: Gather,
  record: TaskRecord | undefined,
  id: string,
  parse: (text: string) => unknown,
): unknown {
  if (policy === 'settled') return settledResultOf(record);
  // Celery counts the failed ones like the others.
  if (policy === COUNTED_BY_CELERY && record?.status !== SUCCESS) throw chordErrorOf(record, id);
  return valueOf(record, id, parse);
}

/**
 * What a chord's body is sent: the results, or from where it reads them when they are many. Python reads nothing,
 * so that its body gets them whatever their number.
 *
 * @throws ChordError
 */
export async function sentResults(
  gather: Gather,
  { ports, isBodyExternal }: { readonly ports: GatherPorts; readonly isBodyExternal: boolean },
): Promise<Sent> {
  if (gather.size > INLINE_MEMBERS && !isBodyExternal) return { gather };
  // Types that are unknown here are passed on: whoever runs the body may know them.
  const results = await resultsOf(gather, ports, decodeJsonKeepingTypes);
  const bytes = Buffer.byteLength(encodeJson(results, 'results', { asPython: true }));
  return bytes <= INLINE_BYTES || isBodyExternal ? { args: [results] } : { gather };
}

/** What a chord's body fails with when this member of its header has. */
export function chordErrorOf(record: TaskRecord | undefined, id: string): ChordError {
  if (record?.meta === undefined) return new ChordError(`Dependency ${id} ended without a result`);
  const document = readDocument(record.meta);
  if (document.result === null) return new ChordError(`Dependency ${id} ended as ${record.status}`);
  const error = restoreError(document);
  return new ChordError(`Dependency ${id} raised ${error.name}('${errorMessage(error)}')`);
}

/** @throws ChordError for a result that is gone: its chord waited longer than results are kept. */
function valueOf(record: TaskRecord | undefined, id: string, parse: (text: string) => unknown): unknown {
  if (record === undefined)
    throw new ChordError(
      `Dependency ${id} has no result any more: it expired before its chord was complete. Raise resultExpires.`,
    );
  if (record.ignored === true && record.settlement !== undefined)
    return (parse(record.settlement) as { readonly value?: unknown }).value ?? null;
  if (record.meta === undefined) return null;
  const document = readDocument(record.meta, parse);
  // Where this app has no codec: its worker waits for the one that has.
  refuseEncrypted(document);
  return document.result;
}

function settledResultOf(record: TaskRecord | undefined): SettledResult {
  if (record === undefined) return { status: 'EXPIRED', error: { type: 'EXPIRED', message: 'its result has expired' } };
  const { status } = record;
  if (status === SUCCESS) return { status: 'SUCCESS', value: valueOf(record, record.id, decodeJson) };
  const document = record.meta === undefined ? undefined : readDocument(record.meta);
  if (document === undefined || document.result === null)
    return { status, error: { type: status, message: `ended as ${status}` } };
  const error = restoreError(document);
  return { status, error: { type: error.name, message: error.message } };
}
