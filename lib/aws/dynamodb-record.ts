/** Item <-> record. `id`, `result` (binary), `timestamp` and `ttl` are Celery's; the others are ours, and Python ignores them. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { decodeJson } from '../wire/json.ts';
import type { TaskRecord } from '../ports/backend.ts';
import { taskIdOf } from './keys.ts';

export type Item = Record<string, AttributeValue>;

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });
export const document = (json: string): AttributeValue => ({ B: new TextEncoder().encode(json) });
/** Celery's `timestamp`: seconds with a fraction. Its reader fails without one. */
export const timestamp = (ms: number): AttributeValue => ({ N: String(ms / 1000) });

export function recordOf(item: Item): TaskRecord {
  const string = (name: string): string | undefined => item[name]?.S;
  const numeric = (name: string): number | undefined =>
    item[name]?.N === undefined ? undefined : Number(item[name].N);
  const meta = item['result']?.B === undefined ? undefined : new TextDecoder().decode(item['result'].B);
  const fields = {
    attempt: numeric('attempt'),
    committed: numeric('committed'),
    owner: string('owner'),
    leaseMs: numeric('lease'),
    deliveries: numeric('deliveries'),
    requeues: numeric('requeues'),
    revokedMs: numeric('revoked'),
    terminate: item['terminate']?.N === undefined ? undefined : true,
    name: string('name'),
    queue: string('queue'),
    startedMs: numeric('started'),
    finishedMs: numeric('finished'),
    meta,
    settlement: string('settlement'),
    settledAttempt: numeric('settled'),
    ignored: item['ignored']?.BOOL,
    past: string('past'),
    // Empty where it was taken away.
    checkpoint: string('checkpoint') || undefined,
    expiresAtSeconds: numeric('ttl'),
  };
  const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return { id: taskIdOf(item['id']?.S ?? ''), status: string('status') ?? statusOf(meta), ...present };
}

/** Items that Python wrote have no `status` of ours; their document has one. */
function statusOf(meta: string | undefined): string {
  if (meta === undefined) return 'PENDING';
  try {
    // Python writes NaN, which JSON.parse refuses.
    const { status } = decodeJson(meta) as { status?: unknown };
    return typeof status === 'string' ? status : 'PENDING';
  } catch {
    return 'PENDING';
  }
}

export function isExpired(record: TaskRecord, nowMs: number): boolean {
  return record.expiresAtSeconds !== undefined && record.expiresAtSeconds <= nowMs / 1000;
}
