/**
 * Calls that come together run once, with the last arguments. The first opens an episode and sends its token, a message
 * that arrives when it is due; each further one replaces the arguments and moves the time. The token seals the episode,
 * sends what it holds under its id, and closes it: from the seal on no call can join, so that none is told an id that runs
 * without it. Whoever finds a sealed episode sends it too: its sealer may have died.
 */
import { EnqueueFailed } from '../base/errors.ts';
import { isPassing } from '../base/passing.ts';
import { CLOCK_SKEW_SECONDS, MARK_ROUNDS } from '../base/limits.ts';
import { DEBOUNCE_TASK } from '../canvas/own-tasks.ts';
import { episodeDueMs, needsToken } from '../flow/marks.ts';
import type { Episode, OwnMark } from '../ports/marks.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from './app.ts';
import { type Marking, marksOf, type Sending, underId } from './marking.ts';
import { type Call, prepareCall } from './producer.ts';
import { type Prepared, publish } from './publish.ts';
import { publishTelling } from './publish-signals.ts';
import { storedFirst } from './payloads.ts';

type Debounced = Extract<Marking, { kind: 'debounce' }>;

/** What a call has come to: an episode of its own, or one that it has joined. */
interface Joined {
  /** As it stood before, where it stood. */
  readonly before: Pick<Episode, 'tokenMs' | 'dueMs'> | undefined;
  readonly id: string;
  readonly dueMs: number;
}

/** `prepared` is the token, where one is to be sent. @throws EnqueueFailed where others were quicker again and again */
export async function joinEpisode(app: App, ports: Ports, call: Call, marking: Debounced): Promise<Sending> {
  for (let round = 0; round < MARK_ROUNDS; round += 1) {
    const joined = await tryToJoin(app, ports, call, marking);
    if (joined === undefined) continue;
    const { id, dueMs, before } = joined;
    const duplicate = before !== undefined && id !== call.message.id;
    if (before !== undefined && !needsToken(before, ports.clock.nowMs())) return { id, duplicate };
    const token = await tokenOf(app, { key: marking.key, id }, dueMs, call.prepared.outgoing);
    return { id, duplicate, prepared: token, mark: { key: marking.key, id, own: false, tokenMs: dueMs } };
  }
  const { id } = call.message;
  throw new EnqueueFailed(
    `Task id ${id} found its key taken and free again ${MARK_ROUNDS} times: too many call at once. Nothing was sent; try again.`,
    [{ ok: false, id, code: 'Crowded', message: 'its key was taken and free again', retryable: true }],
  );
}

/** Undefined where somebody else was quicker. */
async function tryToJoin(
  app: App,
  ports: Ports,
  call: Call,
  { key, debounce }: Debounced,
): Promise<Joined | undefined> {
  const marks = marksOf(ports);
  const stands = await marks.episode(key);
  const nowMs = ports.clock.nowMs();
  if (stands === undefined || stands.sealed) {
    // Its sealer may have died: what is replaced now would never be sent.
    // What its queue refuses for good has failed, as its token tells, and must not keep this call away.
    if (stands !== undefined) await unlessRefused(() => publishTelling(app, [sealedMessage(stands)], ports));
    const first = await storedFirst(call.prepared.outgoing, ports);
    const own = newEpisode(call.message.id, first, episodeDueMs(debounce, nowMs, nowMs), nowMs);
    if (!(await marks.open(key, own, stands?.id))) return undefined;
    return { before: undefined, id: own.id, dueMs: own.dueMs };
  }
  const { id } = stands;
  if (stands.tokenMs !== undefined && needsToken(stands, nowMs) && (await hasEnded(id, ports))) {
    // Its token was lost, and its task ended as such: what joined it now would never run.
    await marks.seal({ key, id }, nowMs);
    return undefined;
  }
  const dueMs = episodeDueMs(debounce, stands.firstMs, nowMs);
  const message = await storedFirst(underId(call, id, app).outgoing, ports);
  return (await marks.join({ key, id, dueMs, message })) ? { before: stands, id, dueMs } : undefined;
}

async function hasEnded(id: string, { backend, clock }: Ports): Promise<boolean> {
  const [record] = await backend.get([id], clock.nowMs(), 'state');
  return record?.finishedMs !== undefined;
}

function newEpisode(id: string, message: OutgoingMessage, dueMs: number, firstMs: number): Episode {
  return { id, firstMs, dueMs, message, sealed: false };
}

async function unlessRefused(ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (isPassing(error)) throw error;
  }
}

/** As an ordinary message: however often it is sent, its task runs once. */
function sealedMessage({ id, message }: Episode): Prepared {
  return { id, attempt: 0, dueMs: null, outgoing: message };
}

async function tokenOf(
  app: App,
  { key, id }: OwnMark,
  dueMs: number,
  { queue, groupId }: OutgoingMessage,
): Promise<Prepared> {
  const { prepared } = await prepareCall(
    app,
    DEBOUNCE_TASK,
    [key, id],
    // Under its task's id: should it be lost for good, that task has ended, and its callers are told.
    { taskId: id, queue, argsrepr: '', ...(groupId === undefined ? {} : { groupKey: groupId }) },
    // Tokens of one episode are many: FIFO queues would drop them, and their retries, as repetitions.
    { parentId: null, rootId: id, celeriac: { token: app.ids.next() } },
  );
  return { ...prepared, dueMs };
}

/** What a token does when it arrives. Any number of them do the same as one. */
export async function runToken(app: App, mark: OwnMark): Promise<void> {
  const ports = await app.ports();
  const marks = marksOf(ports);
  for (;;) {
    const outcome = await marks.seal(mark, ports.clock.nowMs());
    if (outcome.kind === 'gone') return;
    const { episode } = outcome;
    if (outcome.kind === 'sealed') {
      await publishTelling(app, [sealedMessage(episode)], ports);
      // It is sent, and must not fail any more: what stays is replaced by the next call.
      await unlessRefused(() => marks.close(mark));
      return;
    }
    const leftMs = episode.dueMs - ports.clock.nowMs();
    if (leftMs > CLOCK_SKEW_SECONDS * 1000) {
      // Calls have come since: it goes on for the rest of the time.
      await publish([await tokenOf(app, mark, episode.dueMs, episode.message)], ports, app.settings);
      return;
    }
    // Its queue's clock is a little ahead of ours.
    await ports.clock.sleep(Math.max(1, leftMs));
  }
}
