/** One task of a key: a call takes its key before it sends, or is told the id of the task that stands. */
import { EnqueueFailed } from '../base/errors.ts';
import { MARK_ROUNDS } from '../base/limits.ts';
import { standingOf } from '../flow/marks.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { KeyMark } from '../ports/marks.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from './app.ts';
import { type MarkedCall, type Marking, marksOf, type Sending, underId } from './marking.ts';

export interface UniqueCall extends MarkedCall {
  readonly marking: Extract<Marking, { kind: 'unique' }>;
}

/** A call whose key is not settled yet. `instead`: the ended task that it found. */
interface Open {
  readonly marked: UniqueCall;
  readonly instead?: string;
}

/** @throws EnqueueFailed where others were quicker again and again */
export async function standUnique(app: App, ports: Ports, calls: readonly UniqueCall[]): Promise<readonly Sending[]> {
  if (calls.length === 0) return [];
  // Of one list the first call of a key stands for all of them.
  const first = new Map<string, UniqueCall>();
  for (const call of calls) if (!first.has(call.marking.key)) first.set(call.marking.key, call);
  const settled = new Map<UniqueCall, Sending>();
  let open: Open[] = [...first.values()].map((marked) => ({ marked }));
  for (let round = 0; open.length > 0; round += 1) {
    if (round === MARK_ROUNDS) throw crowded(open);
    open = await oneRound(app, ports, open, settled);
  }
  return calls.map((call) => {
    const leader = first.get(call.marking.key) as UniqueCall;
    const sending = settled.get(leader) as Sending;
    return leader === call ? sending : { id: sending.id, duplicate: true };
  });
}

async function oneRound(
  app: App,
  ports: Ports,
  open: readonly Open[],
  settled: Map<UniqueCall, Sending>,
): Promise<Open[]> {
  const nowMs = ports.clock.nowMs();
  const stands = await marksOf(ports).take(open.map(({ marked, instead }) => requestOf(marked, instead, nowMs)));
  const records = await recordsOf(open, stands, ports);
  const again: Open[] = [];
  for (const [index, each] of open.entries()) {
    const { marked } = each;
    const mark = stands[index];
    const { key, unique } = marked.marking;
    if (mark === undefined) {
      const { id } = marked.call.message;
      settled.set(marked, { id, duplicate: false, prepared: marked.call.prepared, mark: { key, id, own: true } });
      continue;
    }
    const standing = standingOf(mark, records.get(mark.id), unique.until);
    if (standing === 'over') again.push({ marked, instead: mark.id });
    else settled.set(marked, found(app, marked, mark, standing === 'unsent'));
  }
  return again;
}

function requestOf(
  { call: { message }, marking: { key, unique } }: UniqueCall,
  instead: string | undefined,
  nowMs: number,
): Parameters<ReturnType<typeof marksOf>['take']>[0][number] {
  // From its ETA: a task that waits longer than its mark stands would stand for nothing.
  const fromMs = Math.max(nowMs, message.etaMs ?? 0);
  return {
    key,
    id: message.id,
    nowMs,
    expiresMs: fromMs + unique.seconds * 1000,
    ...(instead === undefined ? {} : { instead }),
  };
}

/** Whose end is not told by time alone. */
async function recordsOf(
  open: readonly Open[],
  stands: readonly (KeyMark | undefined)[],
  { backend, clock }: Ports,
): Promise<ReadonlyMap<string, TaskRecord>> {
  const ids = open.flatMap(({ marked }, index) => {
    const mark = stands[index];
    return mark === undefined || marked.marking.unique.until === 'time' ? [] : [mark.id];
  });
  const records = ids.length === 0 ? [] : await backend.get(ids, clock.nowMs(), 'state');
  return new Map(records.flatMap((record) => (record === undefined ? [] : [[record.id, record] as const])));
}

/** Whoever gets an answer knows that the task that stands has been sent. */
function found(app: App, { call, marking: { key } }: UniqueCall, { id }: KeyMark, unsent: boolean): Sending {
  return unsent
    ? { id, duplicate: true, prepared: underId(call, id, app), mark: { key, id, own: false } }
    : { id, duplicate: true };
}

function crowded(open: readonly Open[]): EnqueueFailed {
  return new EnqueueFailed(
    `${open.length} calls found their key taken and free again ${MARK_ROUNDS} times: too many call at once. Nothing was sent; try again.`,
    open.map(({ marked: { call } }) => ({
      ok: false,
      id: call.message.id,
      code: 'Crowded',
      message: 'its key was taken and free again',
      retryable: true,
    })),
  );
}
