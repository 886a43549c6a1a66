/** What every backend must do. Each case works on ids of its own, so all may share one backend. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Backend, ClaimOutcome, ClaimRequest, CommitRequest, ConcludeRequest } from '../../ports/backend.ts';
import type { ConformanceCase } from './case.ts';
import { backendRefusals } from './refusals.ts';
import { reopenConformance } from './reopened.ts';
import { checkpointConformance } from './checkpoints.ts';
import { terminationConformance } from './terminations.ts';

const NOW = 1_900_000_000_000;
const TTL = NOW / 1000 + 86_400;

const meta = (status: string, id: string): string =>
  JSON.stringify({ status, result: null, traceback: null, children: [], date_done: null, task_id: id });

const claimOf = (id: string, change: Partial<ClaimRequest> = {}): ClaimRequest => ({
  id,
  attempt: 0,
  owner: 'first',
  nowMs: NOW,
  leaseMs: NOW + 60_000,
  name: 'task',
  queue: 'default',
  meta: meta('PENDING', id),
  expiresAtSeconds: TTL,
  ...change,
});
const commitOf = (id: string, change: Partial<CommitRequest> = {}): CommitRequest => ({
  id,
  attempt: 0,
  owner: 'first',
  nowMs: NOW + 1000,
  status: 'SUCCESS',
  final: true,
  meta: meta('SUCCESS', id),
  expiresAtSeconds: TTL,
  ...change,
});
const concludeOf = (id: string, change: Partial<ConcludeRequest> = {}): ConcludeRequest => ({
  id,
  attempt: 0,
  nowMs: NOW,
  status: 'FAILURE',
  name: 'task',
  queue: 'default',
  meta: meta('FAILURE', id),
  expiresAtSeconds: TTL,
  ...change,
});

/**
 * What every backend must do, as cases. They share one store; `prefix` keeps their ids apart from those of other runs.
 */
export function backendConformance(backend: Backend, prefix = 'backend'): ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  const add = (name: string, run: (id: string) => Promise<void>): void => {
    const id = `${prefix}-${cases.length}`;
    cases.push({ name, run: () => run(id) });
  };
  const claim = async (request: ClaimRequest): Promise<ClaimOutcome> =>
    (await backend.claim([request]))[0] as ClaimOutcome;
  const commit = async (request: CommitRequest): Promise<boolean | undefined> => (await backend.commit([request]))[0];
  const record = async (id: string, nowMs = NOW): Promise<Awaited<ReturnType<Backend['get']>>[number]> =>
    (await backend.get([id], nowMs))[0];

  add('a first claim wins and is STARTED', async (id) => {
    deepEqual(await claim(claimOf(id)), { kind: 'claimed', deliveries: 1, requeues: 0 });
    const stored = await record(id);
    equal(stored?.status, 'STARTED');
    deepEqual(
      [stored?.attempt, stored?.owner, stored?.leaseMs, stored?.name, stored?.queue, stored?.startedMs],
      [0, 'first', NOW + 60_000, 'task', 'default', NOW],
    );
  });
  add('a second claim is busy until the lease has passed, then counts the delivery', async (id) => {
    await claim(claimOf(id));
    const busy = await claim(claimOf(id, { owner: 'second', nowMs: NOW + 60_000 }));
    deepEqual([busy.kind, busy.kind === 'busy' && busy.leaseMs], ['busy', NOW + 60_000]);
    deepEqual(await claim(claimOf(id, { owner: 'second', nowMs: NOW + 60_001, leaseMs: NOW + 90_000 })), {
      kind: 'claimed',
      deliveries: 2,
      requeues: 0,
    });
    equal(await commit(commitOf(id)), false);
    equal(await commit(commitOf(id, { owner: 'second' })), true);
  });
  add('a claim or commit whose answer was lost is ours when it is repeated', async (id) => {
    await claim(claimOf(id));
    deepEqual(await claim(claimOf(id)), { kind: 'claimed', deliveries: 1, requeues: 0 });
    equal(await commit(commitOf(id)), true);
    equal(await commit(commitOf(id)), true);
    equal((await claim(claimOf(id, { owner: 'second' }))).kind, 'finished');
  });
  add('a finished attempt tells its outcome', async (id) => {
    await claim(claimOf(id));
    await commit(commitOf(id, { settlement: '{"value":1}' }));
    const outcome = await claim(claimOf(id, { owner: 'second', nowMs: NOW + 2000 }));
    equal(outcome.kind, 'finished');
    if (outcome.kind !== 'finished') return;
    deepEqual(
      [outcome.record.status, outcome.record.settlement, outcome.record.meta, outcome.record.finishedMs],
      ['SUCCESS', '{"value":1}', meta('SUCCESS', id), NOW + 1000],
    );
  });
  add('the next attempt is claimed after RETRY, counts anew, and leaves the older one behind', async (id) => {
    await claim(claimOf(id));
    await claim(claimOf(id, { owner: 'second', nowMs: NOW + 60_001, leaseMs: NOW + 90_000 }));
    equal(
      await commit(
        commitOf(id, { owner: 'second', status: 'RETRY', final: false, meta: meta('RETRY', id), settlement: '{}' }),
      ),
      true,
    );
    equal((await claim(claimOf(id, { owner: 'third' }))).kind, 'finished');
    deepEqual(await claim(claimOf(id, { owner: 'next', attempt: 1 })), { kind: 'claimed', deliveries: 1, requeues: 0 });
    equal((await claim(claimOf(id, { owner: 'third' }))).kind, 'older');
    equal((await record(id))?.settlement, undefined);
    equal(await commit(commitOf(id, { owner: 'next', attempt: 1 })), true);
    equal((await claim(claimOf(id, { owner: 'third' }))).kind, 'older');
    equal((await claim(claimOf(id, { owner: 'third', attempt: 2 }))).kind, 'finished');
  });
  add('what was handed back is counted anew for the next attempt, in batches too', async (id) => {
    const ids = [id, `${id}-1`, `${id}-2`];
    await backend.claim(ids.map((each) => claimOf(each)));
    for (const each of ids) await backend.release({ id: each, attempt: 0, owner: 'first' });
    await backend.claim(ids.map((each) => claimOf(each, { owner: 'second' })));
    const retry = { owner: 'second', status: 'RETRY', final: false };
    equal(await commit(commitOf(id, retry)), true);
    deepEqual(await backend.commit(ids.slice(1).map((each) => commitOf(each, retry))), [true, true]);
    for (const each of ids)
      deepEqual(await claim(claimOf(each, { owner: 'third', attempt: 1 })), {
        kind: 'claimed',
        deliveries: 1,
        requeues: 0,
      });
  });
  add('keepMeta leaves the stored document', async (id) => {
    await claim(claimOf(id));
    await commit(commitOf(id, { status: 'RETRY', final: false, meta: meta('RETRY', id) }));
    await claim(claimOf(id, { owner: 'next', attempt: 1, keepMeta: true, meta: meta('PENDING', id) }));
    equal((await record(id))?.meta, meta('RETRY', id));
  });
  add('a commit without a document keeps the one of the claim, and is ignored', async (id) => {
    await claim(claimOf(id));
    const { meta: _left, ...rest } = commitOf(id);
    await backend.commit([{ ...rest, ignored: true }]);
    const stored = await record(id);
    deepEqual([stored?.status, stored?.meta, stored?.ignored], ['SUCCESS', meta('PENDING', id), true]);
  });
  add('an attempt is noted as settled once it is committed', async (id) => {
    await backend.noteSettled({ id, attempt: 0 });
    equal(await record(id), undefined);
    await claim(claimOf(id));
    await backend.noteSettled({ id, attempt: 0 });
    equal((await record(id))?.settledAttempt, undefined);
    await commit(commitOf(id));
    await backend.noteSettled({ id, attempt: 1 });
    equal((await record(id))?.settledAttempt, undefined);
    await backend.noteSettled({ id, attempt: 0 });
    equal((await record(id))?.settledAttempt, 0);
  });
  add('release gives the claim back, and counts it', async (id) => {
    await claim(claimOf(id));
    equal(await backend.release({ id, attempt: 0, owner: 'second' }), false);
    equal(await backend.release({ id, attempt: 0, owner: 'first' }), true);
    equal(await backend.release({ id, attempt: 0, owner: 'first' }), true);
    deepEqual(await claim(claimOf(id, { owner: 'second' })), { kind: 'claimed', deliveries: 2, requeues: 1 });
  });
  add('update stores a custom state for the owner only, and never after the commit', async (id) => {
    await claim(claimOf(id));
    const request = { id, attempt: 0, owner: 'first', status: 'PROGRESS', meta: meta('PROGRESS', id) };
    equal(await backend.update(request), 'stored');
    equal((await record(id))?.status, 'PROGRESS');
    equal(await backend.update({ ...request, owner: 'second' }), 'lost');
    await commit(commitOf(id));
    equal(await backend.update(request), 'lost');
    equal((await record(id))?.status, 'SUCCESS');
  });
  add('conclude ends what nobody runs, once', async (id) => {
    deepEqual(await backend.conclude([concludeOf(id)]), [{ kind: 'concluded' }]);
    equal((await backend.conclude([concludeOf(id, { status: 'REVOKED' })]))[0]?.kind, 'finished');
    equal((await record(id))?.status, 'FAILURE');
    equal((await claim(claimOf(id))).kind, 'finished');
  });
  add('conclude leaves a running attempt and a finished one alone', async (id) => {
    await claim(claimOf(id));
    equal((await backend.conclude([concludeOf(id)]))[0]?.kind, 'busy');
    equal((await backend.conclude([concludeOf(id, { nowMs: NOW + 60_001 })]))[0]?.kind, 'concluded');
    // The owner that was thought dead comes back too late.
    equal((await record(id))?.status, 'FAILURE');
    equal(await commit(commitOf(id)), false);
    equal((await record(id))?.status, 'FAILURE');
  });
  add('what followed from an earlier attempt is gone with the end', async (id) => {
    const { meta: _left, ...retry } = commitOf(id, { status: 'RETRY', final: false, settlement: '{"retry":1}' });
    const end = { nowMs: NOW + 2000, meta: meta('REVOKED', id), expiresAtSeconds: TTL };
    for (const [name, finish] of [
      ['concluded', (task: string) => backend.conclude([concludeOf(task, { attempt: 1, ...end, status: 'REVOKED' })])],
      ['revoked', (task: string) => backend.revoke({ id: task, ...end })],
    ] as const) {
      const task = `${id}-${name}`;
      await claim(claimOf(task));
      await backend.commit([{ ...retry, id: task, ignored: true }]);
      await finish(task);
      const stored = await record(task);
      deepEqual(
        [stored?.status, stored?.meta, stored?.settlement, stored?.ignored],
        ['REVOKED', end.meta, undefined, undefined],
      );
    }
  });
  add('revoke ends a task that waits and bars its claim', async (id) => {
    const request = { id, nowMs: NOW, meta: meta('REVOKED', id), expiresAtSeconds: TTL };
    equal(await backend.revoke(request), 'REVOKED');
    equal((await claim(claimOf(id))).kind, 'finished');
    equal((await record(id))?.status, 'REVOKED');
  });
  add('revoke lets a running attempt end, and bars the next', async (id) => {
    await claim(claimOf(id));
    equal(await backend.revoke({ id, nowMs: NOW, meta: meta('REVOKED', id), expiresAtSeconds: TTL }), 'STARTED');
    equal((await claim(claimOf(id, { owner: 'second', nowMs: NOW + 60_001 }))).kind, 'revoked');
    equal((await backend.conclude([concludeOf(id, { status: 'REVOKED', nowMs: NOW + 60_001 })]))[0]?.kind, 'concluded');
    equal(await backend.revoke({ id, nowMs: NOW, meta: meta('REVOKED', id), expiresAtSeconds: TTL }), 'REVOKED');
  });
  add('revoke after the lease is final: the owner that comes back is too late', async (id) => {
    await claim(claimOf(id));
    const late = { id, nowMs: NOW + 60_001, meta: meta('REVOKED', id), expiresAtSeconds: TTL };
    equal(await backend.revoke(late), 'REVOKED');
    equal(await commit(commitOf(id)), false);
    equal((await record(id))?.status, 'REVOKED');
  });
  add('revoke between two attempts is final; after the end it changes nothing', async (id) => {
    await claim(claimOf(id));
    await commit(commitOf(id, { status: 'RETRY', final: false }));
    equal(await backend.revoke({ id, nowMs: NOW, meta: meta('REVOKED', id), expiresAtSeconds: TTL }), 'REVOKED');
    const other = `${id}-done`;
    await claim(claimOf(other));
    await commit(commitOf(other));
    equal(
      await backend.revoke({ id: other, nowMs: NOW, meta: meta('REVOKED', other), expiresAtSeconds: TTL }),
      'SUCCESS',
    );
  });
  add('what has expired is not there: not for readers, not for claims', async (id) => {
    await claim(claimOf(id));
    await commit(commitOf(id));
    const later = (TTL + 1) * 1000;
    equal(await record(id, later), undefined);
    deepEqual(
      await claim(claimOf(id, { owner: 'anew', nowMs: later, leaseMs: later + 1000, expiresAtSeconds: TTL + 1000 })),
      { kind: 'claimed', deliveries: 1, requeues: 0 },
    );
    equal((await record(id, later))?.finishedMs, undefined);
  });
  add('many at once: each item has its own condition and outcome', async (id) => {
    const ids = Array.from({ length: 30 }, (_, index) => `${id}-${index}`);
    await claim(claimOf(ids[3] ?? '', { owner: 'other' }));
    const claims = await backend.claim(ids.map((each) => claimOf(each)));
    deepEqual(
      claims.map((outcome) => outcome.kind),
      ids.map((_, index) => (index === 3 ? 'busy' : 'claimed')),
    );
    const commits = await backend.commit(ids.map((each) => commitOf(each)));
    deepEqual(
      commits,
      ids.map((_, index) => index !== 3),
    );
    const records = await backend.get([...ids, `${id}-unknown`], NOW);
    equal(records.filter((each) => each?.status === 'SUCCESS').length, 29);
    equal(records.at(-1), undefined);
  });
  add('who needs no texts reads the state all the same', async (id) => {
    await claim(claimOf(id));
    await backend.commit([commitOf(id)]);
    const [state, unknown] = await backend.get([id, `${id}-unknown`], NOW, 'state');
    deepEqual([state?.status, state?.attempt, unknown], ['SUCCESS', 0, undefined]);
  });
  add('two claims at the same moment have one winner', async (id) => {
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => claim(claimOf(id, { owner }))));
    deepEqual(outcomes.map((outcome) => outcome.kind).toSorted(), ['busy', 'busy', 'busy', 'claimed']);
  });
  add('forget deletes, and an unknown id is no error', async (id) => {
    await claim(claimOf(id));
    await backend.forget([id, `${id}-unknown`]);
    ok((await record(id)) === undefined);
  });
  return [
    ...cases,
    ...terminationConformance(backend, prefix),
    ...checkpointConformance(backend, prefix),
    ...reopenConformance(backend, prefix),
    ...backendRefusals(backend),
  ];
}
