/**
 * Dead letters go back to their queues: opened again, sent, deleted, in this order. A crash between any two leaves the
 * letter where it is, and the next redrive finds how far it came; what is sent twice runs once.
 *
 *   record: FAILURE of attempt n  ->  reopen: n counts as the last one  ->  send attempt n + 1  ->  delete the letter
 */
import { InvalidMessage } from '../base/errors.ts';
import { errorLine } from '../base/error-text.ts';
import { DEFAULT_RETENTION_SECONDS, SQS_MAX_BATCH_ENTRIES } from '../base/limits.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { FAILURE, isFinal, PENDING, RETRY } from '../base/states.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { ReopenRequest, TaskRecord } from '../ports/backend.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import { openMessage, storedFirst } from '../producer/payloads.ts';
import { readDocument, type ResultDocument, writeDocument } from '../wire/result-document.ts';
import type { Past } from '../worker/committed.ts';
import { recordExpiresAtSeconds } from '../worker/record-expiry.ts';
import { encodeJson } from '../wire/json.ts';
import type { OpenLetter } from './letter.ts';
import { planRedrive, type RedrivePlan } from './plan-redrive.ts';
import { failedSteps, type LetterEdit, messageOf, redriven, sameAgain } from './redriven-message.ts';

/** What became of one letter. */
export type LetterOutcome =
  /** Its task runs once more. */
  | { readonly kind: 'sent' }
  /** Its task has ended otherwise: what follows from that is sent again. */
  | { readonly kind: 'settled' }
  /** It was redriven before: it is deleted, and nothing is sent. */
  | { readonly kind: 'superseded' }
  /** Its `expires` has passed: it stays. */
  | { readonly kind: 'expired' }
  /** Its task runs at the moment: it stays. */
  | { readonly kind: 'running' }
  /** It stays. */
  | { readonly kind: 'failed'; readonly error: string };

/** What is sent for one letter. */
interface Redrive {
  readonly open: OpenLetter;
  readonly message: OutgoingMessage;
  readonly outcome: 'sent' | 'settled';
}

/** How often a record is read again that others change. */
const ROUNDS = 4;
const WRITES_AT_ONCE = 10;

/**
 * @param letters in the order in which they lie: that of a FIFO group is kept.
 * @param edits one for each
 * @param held groups of a FIFO queue of which a letter was not sent: those behind it must not overtake it, in later
 * calls neither. Added to.
 * @returns what became of each, in order
 */
export async function redriveLetters(
  letters: readonly OpenLetter[],
  edits: readonly LetterEdit[],
  app: App,
  ports: Ports,
  held: Set<string | undefined> = new Set(),
): Promise<LetterOutcome[]> {
  const begun = await mapConcurrently(letters, WRITES_AT_ONCE, (open, index) =>
    begin(open, edits[index] ?? {}, app, ports),
  );
  const outcomes: LetterOutcome[] = [];
  const sends: { readonly index: number; readonly redrive: Redrive }[] = [];
  for (const [index, each] of begun.entries()) {
    const { letter, received } = letters[index] as OpenLetter;
    const isHeld = isFifo(letter.queue, app.settings) && held.has(received.groupId);
    if (isHeld) outcomes[index] = { kind: 'failed', error: 'an earlier letter of its group was not sent' };
    else if ('kind' in each) outcomes[index] = each;
    else sends.push({ index, redrive: each });
    if (!isHeld && outcomes[index]?.kind === 'failed') held.add(received.groupId);
  }
  const sent = sends.length === 0 ? [] : await ports.broker.send(sends.map(({ redrive }) => redrive.message));
  for (const [position, { index, redrive }] of sends.entries()) {
    const outcome = sent[position];
    outcomes[index] =
      outcome?.ok === true
        ? { kind: redrive.outcome }
        : {
            kind: 'failed',
            error: outcome === undefined ? 'nothing is known of it' : `${outcome.code}: ${outcome.message}`,
          };
    if (outcome?.ok !== true) held.add(letters[index]?.received.groupId);
  }
  return outcomes;
}

/** What would become of a letter, as far as what is stored tells. */
export async function wouldRedrive(
  letter: OpenLetter,
  edit: LetterEdit,
  app: App,
  ports: Pick<Ports, 'backend' | 'clock' | 'blobs'>,
): Promise<LetterOutcome> {
  try {
    const open = await withPayload(letter, app, ports);
    const record = await recordOf(open, ports);
    const plan = planRedrive(open.letter.retries ?? 0, record, ports.clock.nowMs());
    return settledWithout(plan, open, edit, ports) ?? { kind: plan.kind === 'settle' ? 'settled' : 'sent' };
  } catch (error) {
    return { kind: 'failed', error: errorLine(error) };
  }
}

async function recordOf(
  { letter: { id } }: OpenLetter,
  { backend, clock }: Pick<Ports, 'backend' | 'clock'>,
): Promise<TaskRecord | undefined> {
  if (id === undefined) return undefined;
  const [record] = await backend.get([id], clock.nowMs());
  return record;
}

/** Where nothing is sent. */
function settledWithout(
  plan: RedrivePlan,
  open: OpenLetter,
  edit: LetterEdit,
  { clock }: Pick<Ports, 'clock'>,
): LetterOutcome | undefined {
  if (plan.kind === 'superseded' || plan.kind === 'running') return { kind: plan.kind };
  if (plan.kind === 'settle') return undefined;
  const expiresMs = edit.expires === null ? null : (messageOf(open)?.expiresMs ?? null);
  // Its sender did not want it to run then.
  return expiresMs !== null && expiresMs <= clock.nowMs() ? { kind: 'expired' } : undefined;
}

/** What cannot be read is redriven as it lies there: newer code may read it. @throws PayloadNotFound, and what the store throws */
export async function withPayload(
  open: OpenLetter,
  { settings }: App,
  ports: Pick<Ports, 'clock' | 'blobs'>,
): Promise<OpenLetter> {
  if (settings.largePayloads === undefined || open.opened !== undefined) return open;
  try {
    return { ...open, opened: await openMessage(open.received.body, settings, ports) };
  } catch (error) {
    if (InvalidMessage.is(error)) return open;
    throw error;
  }
}

/** The message to send, once a worker that receives it will run it; or what became of the letter without one. */
async function begin(letter: OpenLetter, edit: LetterEdit, app: App, ports: Ports): Promise<Redrive | LetterOutcome> {
  try {
    return await prepared(await withPayload(letter, app, ports), edit, app, ports);
  } catch (error) {
    return { kind: 'failed', error: errorLine(error) };
  }
}

async function prepared(open: OpenLetter, edit: LetterEdit, app: App, ports: Ports): Promise<Redrive | LetterOutcome> {
  const { letter } = open;
  for (let round = 0; round < ROUNDS; round += 1) {
    const record = await recordOf(open, ports);
    const plan = planRedrive(letter.retries ?? 0, record, ports.clock.nowMs());
    const without = settledWithout(plan, open, edit, ports);
    if (without !== undefined) return without;
    if (plan.kind === 'settle') return { open, message: sameAgain(open, app.settings), outcome: 'settled' };
    const next = plan.kind === 'reopen' ? Math.floor(plan.last) + 1 : plan.kind === 'open' ? plan.next : 0;
    // Before anything is written: what cannot be sent must not look as if it were on its way.
    const message = await storedFirst(redriven(open, next, edit, app.settings), ports);
    if (plan.kind === 'reopen' && !(await reopened(open, record, plan.last, app, ports))) continue;
    await openSteps(open, app, ports);
    return { open, message, outcome: 'sent' };
  }
  return { kind: 'failed', error: 'others changed its task again and again' };
}

// ------------------------------------------------------------------ records

async function reopened(
  { letter }: OpenLetter,
  record: TaskRecord | undefined,
  last: number,
  app: App,
  ports: Ports,
): Promise<boolean> {
  // Nothing can be stored of a task without an id, and nothing is in the way.
  if (letter.id === undefined) return true;
  const past: Past | undefined =
    record === undefined
      ? undefined
      : {
          attempt: last,
          status: record.status,
          meta: record.meta,
          settlement: record.settlement,
          atMs: record.finishedMs,
        };
  return ports.backend.reopen({
    ...requestOf(letter.id, record, app, ports),
    attempt: last,
    // As it was: a delivery of that attempt, should there be one left, finds how it ended.
    status: record?.status ?? FAILURE,
    name: record?.name ?? letter.task ?? '',
    queue: record?.queue ?? letter.originQueue,
    meta: metaOf(letter.id, record?.meta, RETRY),
    ...(past === undefined ? {} : { past: encodeJson(past, 'past') }),
  });
}

/** Steps of its chain that failed because it did may run when it has succeeded. */
async function openSteps(open: OpenLetter, app: App, ports: Ports): Promise<void> {
  const message = messageOf(open);
  const steps = message === undefined ? [] : failedSteps(message);
  if (steps.length === 0) return;
  const { backend, clock } = ports;
  const records = await backend.get(
    steps.map(({ id }) => id),
    clock.nowMs(),
  );
  await mapConcurrently(steps, WRITES_AT_ONCE, async ({ id, signature }, index) => {
    const record = records[index];
    // Nobody ran it: it failed with the step before.
    if (record?.status !== FAILURE || record.finishedMs === undefined || record.startedMs !== undefined) return;
    await backend.reopen({
      ...requestOf(id, record, app, ports),
      attempt: -1,
      status: PENDING,
      name: record.name ?? signature.task,
      queue: record.queue ?? '',
      meta: writeDocument(emptyDocument(id)),
    });
  });
}

function requestOf(
  id: string,
  record: TaskRecord | undefined,
  { settings }: App,
  { clock }: Ports,
): Pick<ReopenRequest, 'id' | 'finishedMs' | 'nowMs' | 'expiresAtSeconds'> {
  const nowMs = clock.nowMs();
  return {
    id,
    finishedMs: record?.finishedMs,
    nowMs,
    // Its message may lie in its queue for as long as SQS keeps it.
    expiresAtSeconds: recordExpiresAtSeconds(nowMs, record?.queue ?? '', {
      ...settings,
      resultExpiresSeconds: Math.max(settings.resultExpiresSeconds, DEFAULT_RETENTION_SECONDS),
    }),
  };
}

/** Readers see a state that is not final, and why it failed before. */
function metaOf(id: string, meta: string | undefined, status: string): string {
  const document = meta === undefined ? undefined : readDocument(meta);
  // An outcome that was kept from readers stays so.
  if (meta !== undefined && document !== undefined && !isFinal(document.status)) return meta;
  return writeDocument({ ...(document ?? emptyDocument(id)), taskId: id, status, dateDone: null });
}

function emptyDocument(taskId: string): ResultDocument {
  return { status: PENDING, result: null, traceback: null, children: [], dateDone: null, taskId };
}

/** Letters that share a request. */
export const LETTERS_AT_ONCE: number = SQS_MAX_BATCH_ENTRIES;
