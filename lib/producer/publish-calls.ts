/**
 * Calls on their way out, those among them that another task may stand for: of a key that is taken nothing is sent, or the
 * call joins what waits. A crash between mark and message loses nothing and blocks nobody: whoever finds a mark without a
 * message sends it.
 */
import { EnqueueFailed, type EnqueueOutcome } from '../base/errors.ts';
import type { RetryPolicy } from '../options/settings.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from './app.ts';
import { joinEpisode } from './debounce.ts';
import { type MarkedCall, markedCall, marksOf, mayBeMarked, type Sending, type Stands } from './marking.ts';
import type { Call } from './producer.ts';
import { publishTelling } from './publish-signals.ts';
import { standUnique, type UniqueCall } from './unique.ts';

/** @throws EnqueueFailed whose outcomes are those of the calls, in order; bad input throws before anything is sent. */
export async function publishCalls(
  app: App,
  calls: readonly Call[],
  policy: Required<RetryPolicy> | null,
): Promise<readonly Stands[]> {
  if (!calls.some((call) => mayBeMarked(app, call))) {
    const prepared = calls.map((call) => call.prepared);
    const ports = await app.ports();
    await publishTelling(app, prepared, ports, policy);
    return calls.map(({ message: { id } }) => ({ id, duplicate: false }));
  }
  // Who sends them, and when, is not known yet.
  for (const { prepared } of calls) prepared.span?.created();
  const marked: MarkedCall[] = [];
  for (const call of calls) marked.push(await markedCall(app, call));
  const ports = await app.ports();
  const sendings = await standAll(app, ports, marked);
  try {
    const prepared = sendings.flatMap((sending) => sending.prepared ?? []);
    await publishTelling(app, prepared, ports, policy);
  } catch (error) {
    if (!EnqueueFailed.is(error)) throw error;
    const failed = error as EnqueueFailed;
    const outcomes = outcomesOf(sendings, failed.outcomes);
    await tell(ports, sendings, outcomes);
    throw new EnqueueFailed(failed.message, outcomes, { cause: failed.cause });
  }
  await tell(ports, sendings);
  return sendings;
}

/** In the order of the calls: of two that are debounced under one key the later one's arguments win. */
async function standAll(app: App, ports: Ports, marked: readonly MarkedCall[]): Promise<readonly Sending[]> {
  const unique = marked.filter((each): each is UniqueCall => each.marking?.kind === 'unique');
  const standing = new Map<MarkedCall, Sending>();
  for (const [index, sending] of (await standUnique(app, ports, unique)).entries())
    standing.set(unique[index] as UniqueCall, sending);
  const tokens = new Set<string>();
  const sendings: Sending[] = [];
  for (const each of marked) {
    const { call, marking } = each;
    if (marking?.kind !== 'debounce') {
      sendings.push(standing.get(each) ?? { id: call.message.id, duplicate: false, prepared: call.prepared });
      continue;
    }
    const { prepared, mark, ...sending } = await joinEpisode(app, ports, call, marking);
    // One token for all calls of a list.
    const sends = prepared !== undefined && mark !== undefined && !tokens.has(sending.id);
    if (sends) tokens.add(sending.id);
    sendings.push(sends ? { ...sending, prepared, mark } : sending);
  }
  return sendings;
}

/** Each call's own: what was not sent for it stands, unless what it stands for was to be sent in this call and was not. */
function outcomesOf(sendings: readonly Sending[], sent: readonly EnqueueOutcome[]): readonly EnqueueOutcome[] {
  const left = sent.values();
  const own = new Map<Sending, EnqueueOutcome>();
  const byId = new Map<string, EnqueueOutcome>();
  for (const sending of sendings) {
    if (sending.prepared === undefined) continue;
    const { value } = left.next() as { readonly value: EnqueueOutcome };
    const outcome = { ...value, id: sending.id };
    own.set(sending, outcome);
    byId.set(sending.id, outcome);
  }
  return sendings.map((sending) => own.get(sending) ?? byId.get(sending.id) ?? { ok: true, id: sending.id });
}

/** Marks of what is sent say so, and those of what was refused for good are cleared. Failing is no error: whoever finds them does it. */
async function tell(ports: Ports, sendings: readonly Sending[], outcomes?: readonly EnqueueOutcome[]): Promise<void> {
  const told = sendings.flatMap(({ mark }, index) => {
    const outcome = outcomes?.[index];
    return mark === undefined ? [] : [{ mark, outcome }];
  });
  const marks = marksOf(ports);
  const sent = told.flatMap(({ mark, outcome }) => (outcome?.ok === false ? [] : [mark]));
  // Of an answer that was lost nobody knows whether the task runs: its mark stays for whoever comes next.
  const refused = told.flatMap(({ mark, outcome }) =>
    outcome?.ok === false && !outcome.retryable && mark.own ? [mark] : [],
  );
  const unique = sent.filter(({ tokenMs }) => tokenMs === undefined);
  await Promise.allSettled([
    unique.length === 0 ? undefined : marks.noteSent(unique),
    refused.length === 0 ? undefined : marks.clear(refused, true),
    ...sent.flatMap((mark) => (mark.tokenMs === undefined ? [] : [marks.noteToken(mark, mark.tokenMs)])),
  ]);
}
