/**
 * Watches the results table itself: what a request did counts, whether or not its answer came back. Each write must be
 * one that the protocol allows, told from the item before and after and from what the request knew; the ledger is told
 * of claims, commits and conclusions as they happen.
 */
import type { World } from 'celeriac/testing';
import { recordOf } from '../../../lib/aws/dynamodb-record.ts';
import type { Backend, ClaimOutcome, CommitRequest, TaskRecord } from '../../../lib/ports/backend.ts';
import type { Timers } from '../../../lib/ports/timers.ts';
import type { OutgoingMessage } from '../../../lib/ports/broker.ts';
import { REVOKED } from '../../../lib/base/states.ts';
import type { TableWrite } from '../../support/fake-services/fake-dynamodb.ts';
import { RESULTS_TABLE } from '../../support/fake-services/services.ts';
import type { Ledger } from '../world/ledger.ts';

type Watched = Pick<Backend, 'claim' | 'commit' | 'release' | 'conclude' | 'revoke'>;

const CLAIMED: ClaimOutcome = { kind: 'claimed', deliveries: 1, requeues: 0 };

/** What a backend does when everything it is told has just happened. */
function agreeing(): Watched {
  return {
    claim: (requests) => Promise.resolve(requests.map(() => CLAIMED)),
    commit: (requests) => Promise.resolve(requests.map(() => true)),
    release: () => Promise.resolve(true),
    conclude: (requests) => Promise.resolve(requests.map(() => ({ kind: 'concluded' }))),
    revoke: () => Promise.resolve(REVOKED),
  };
}

type Change = 'claim' | 'commit' | 'conclude' | 'release' | 'revoke' | 'mark' | 'progress' | 'settled';

interface Seen {
  readonly before: TaskRecord | undefined;
  readonly after: TaskRecord;
  readonly values: readonly string[];
  readonly nowMs: number;
}

/** Queues are watched themselves: what arrives there has been sent. */
export function watchTables(
  ledger: Ledger,
  { clock, broker }: Pick<World, 'clock' | 'broker'>,
  skewMs: number,
): (write: TableWrite) => void {
  const told = agreeing();
  const timers: Pick<Timers, 'put'> = { put: () => Promise.resolve([]) };
  ledger.watch({ backend: told, clock, broker, timers } as unknown as World);
  return (write) => {
    // What waits to be debounced is a message too, and none that was sent.
    if (write.after?.['message']?.S !== undefined && write.after['pk']?.S?.startsWith('timer#') === true)
      void timers.put([
        {
          id: write.after['task_id']?.S ?? '',
          attempt: Number(write.after['attempt']?.N),
          dueMs: Number(write.after['due']?.N),
          message: JSON.parse(write.after['message'].S) as OutgoingMessage,
        },
      ]);
    if (write.table !== RESULTS_TABLE || write.after === undefined || !('status' in write.after)) return;
    const seen: Seen = {
      before: write.before === undefined ? undefined : recordOf(write.before),
      after: recordOf(write.after),
      values: write.values,
      nowMs: clock.nowMs(),
    };
    const change = changeOf(seen);
    const { id } = seen.after;
    for (const [rule, allows] of Object.entries(RULES))
      if (!allows(seen, change, skewMs))
        ledger.violate(rule, `${id}: ${change} of ${shown(seen.before)}, which became ${shown(seen.after)}`, id);
    tell(told, seen, change);
  };
}

function changeOf({ before, after }: Seen): Change {
  if (after.committed !== before?.committed) return after.owner === undefined ? 'conclude' : 'commit';
  if (after.finishedMs !== before?.finishedMs) return 'revoke';
  if (after.attempt !== before?.attempt || after.owner !== before?.owner) return 'claim';
  if (after.deliveries !== before?.deliveries) return 'claim';
  if (after.requeues !== before?.requeues) return 'release';
  if (after.revokedMs !== before?.revokedMs || after.terminate !== before?.terminate) return 'mark';
  return after.settledAttempt === before?.settledAttempt ? 'progress' : 'settled';
}

const RULES: Readonly<Record<string, (seen: Seen, change: Change, skewMs: number) => boolean>> = {
  'a finished item stays as it is': ({ before, after }) =>
    before?.finishedMs === undefined ||
    ['status', 'meta', 'finishedMs', 'attempt', 'committed', 'settlement', 'ignored'].every(
      (field) => before[field as keyof TaskRecord] === after[field as keyof TaskRecord],
    ),
  'attempts only go up': ({ before, after }) =>
    (after.attempt ?? -1) >= (before?.attempt ?? -1) && (after.committed ?? -1) >= (before?.committed ?? -1),
  'no commit without a claim of it': ({ after }, change) => change !== 'commit' || after.committed === after.attempt,
  // Who writes into a claim shows that it is its own.
  'only an owner writes into its claim': ({ before, values }, change) =>
    !['commit', 'release', 'progress'].includes(change) ||
    (before?.owner !== undefined && values.includes(before.owner)),
  'no claim of what is committed': ({ before, after }, change) =>
    change !== 'claim' || (before?.committed ?? -1) < (after.attempt ?? 0),
  'no claim of what is revoked': ({ before }, change) => change !== 'claim' || before?.revokedMs === undefined,
  'a lease is kept': ({ before, after, nowMs }, change, skewMs) =>
    !['claim', 'conclude', 'revoke'].includes(change) ||
    before?.attempt !== after.attempt ||
    before?.owner === after.owner ||
    before?.committed === before?.attempt ||
    (before?.leaseMs ?? 0) <= nowMs + skewMs,
  'every claim counts': ({ before, after }, change) =>
    change !== 'claim' || before?.owner === after.owner || after.deliveries === (before?.deliveries ?? 0) + 1,
  'a retry counts from nothing': ({ after }, change) =>
    change !== 'commit' || after.finishedMs !== undefined || (after.deliveries === 0 && after.requeues === 0),
  'nothing is noted as sent before it is committed': ({ after }, change) =>
    change !== 'settled' || after.settledAttempt === after.committed,
};

function tell(told: Watched, { after, nowMs }: Seen, change: Change): void {
  const { id, attempt = 0, owner = '', status, meta = '', name = '', queue = '', expiresAtSeconds = 0 } = after;
  const common = { id, attempt, owner, nowMs, status, meta, name, queue, expiresAtSeconds };
  // Its document is still the one of its claim.
  const outcome = after.ignored === true ? { ...common, meta: undefined } : common;
  if (change === 'claim') void told.claim([{ ...common, leaseMs: after.leaseMs ?? 0 }]);
  if (change === 'commit') void told.commit([{ ...outcome, final: after.finishedMs !== undefined } as CommitRequest]);
  if (change === 'release') void told.release(common);
  if (change === 'conclude') void told.conclude([common]);
  if (change === 'revoke') void told.revoke(common);
}

function shown(record: TaskRecord | undefined): string {
  if (record === undefined) return 'nothing';
  const { meta: _meta, settlement: _settlement, ...fields } = record;
  return JSON.stringify(fields);
}
