/** Order inside FIFO groups, and lateness once nothing is in the way any more. */
import type { Sends } from './facts.ts';
import type { Ledger, Run } from './ledger.ts';

// A sweeper may have stood still between reading what is due and sending it.
const LONGEST_FREEZE_MS = 600_000;
// What workers that died before left: the longest lease, visibility timeout and freeze, one after the other.
export const AFTERMATH_MS = 1_200_000;
// SQS delays whole seconds; a worker may be woken a second late.
const LATEST_MS = 3000;

/** Within a group tasks begin as their queue took them, and the queue takes what is delayed as it falls due. */
export function checkFifo(ledger: Ledger, queue: string): void {
  const first = new Map<string, Run>();
  for (const run of ledger.runs) if (run.attempt === 0 && !first.has(run.id)) first.set(run.id, run);
  const groups = new Map<string, [string, Sends][]>();
  for (const [id, sends] of ledger.facts.sent) {
    if (sends.queue !== queue || sends.groupId === undefined) continue;
    groups.set(sends.groupId, [...(groups.get(sends.groupId) ?? []), [id, sends]]);
  }
  for (const [group, members] of groups) {
    let last: Run | undefined;
    for (const [id] of members.filter(([, { order }]) => order >= 0).toSorted(([, a], [, b]) => a.order - b.order)) {
      const run = first.get(id);
      if (run === undefined) continue;
      if (last !== undefined && run.order < last.order)
        ledger.violate('FIFO order', `${group}: ${run.key} ran before ${last.key}, which was sent before it`, id);
      last = run;
    }
    checkDelayed(ledger, group, members);
  }
}

function checkDelayed(ledger: Ledger, group: string, members: readonly [string, Sends][]): void {
  for (const [id, late] of members) {
    for (const [, early] of members) {
      if (early.dueMs === undefined || late.dueMs === undefined || early.dueMs >= late.dueMs) continue;
      if (late.order >= 0 && late.order < early.order && early.firstMs < late.takenMs - LONGEST_FREEZE_MS)
        ledger.violate('FIFO order', `${group}: due at ${late.dueMs}, sent before what is due at ${early.dueMs}`, id);
    }
  }
}

/** What falls due after the last fault runs when it does. */
export function checkLateness(
  ledger: Ledger,
  faultsEndMs: number,
  skewMs: number,
  isHeldUp: (id: string) => boolean,
): void {
  const seen = new Set<string>();
  for (const { id, attempt, atMs, key } of ledger.runs) {
    const dueMs = ledger.facts.dueMs(id, attempt);
    const name = `${id}/${attempt}`;
    if (dueMs === undefined || seen.has(name) || dueMs < faultsEndMs + AFTERMATH_MS) continue;
    seen.add(name);
    // A FIFO group waits for its head.
    if (ledger.facts.sends(id)?.groupId === undefined && !isHeldUp(id) && atMs - dueMs > LATEST_MS + skewMs)
      ledger.violate('on time', `${key} ${atMs - dueMs} ms late`, id);
  }
}

/** What was due before the faults ended has ended soon after. */
export function checkEnds(
  ledger: Ledger,
  faultsEndMs: number,
  endOf: (id: string) => number | undefined,
  isHeldUp: (id: string) => boolean,
): void {
  for (const [id, { firstMs, dueMs, queue }] of ledger.facts.sent) {
    const endMs = endOf(id);
    const attempt = ledger.facts.end(id)?.attempt ?? 0;
    // Poison takes its fifty receives, and a task unknown its twenty minutes.
    if (queue === 'poison' || endMs === undefined || isHeldUp(id)) continue;
    const readyMs = Math.max(ledger.facts.dueMs(id, attempt) ?? 0, dueMs ?? firstMs, faultsEndMs);
    if (endMs - readyMs > 2 * AFTERMATH_MS)
      ledger.violate('on time', `${id} ended ${endMs - readyMs} ms after it was due`, id);
  }
}
