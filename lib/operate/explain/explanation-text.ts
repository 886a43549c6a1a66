/** Why a task stands where it stands, as people read it. Pure. */
import { counted, instant, span } from '../words.ts';
import type { Explanation, QueueCount, Reason } from './reasons.ts';

interface How {
  readonly nowMs: number;
  /** Exact times. */
  readonly utc: boolean;
}

/** A headline, what it is about, and what can be done. */
export interface ExplanationText {
  readonly head: string;
  readonly lines: readonly string[];
  readonly hints: readonly string[];
}

/** One reason. `head` goes on from the task's name. */
interface Told {
  readonly head: string;
  readonly lines?: readonly string[];
  readonly hints?: readonly string[];
}

type Kind = Reason['kind'];
type Of<K extends Kind> = Extract<Reason, { readonly kind: K }>;
type Texts = { readonly [K in Kind]: (reason: Of<K>, at: (time: Date) => string, id: string) => Told };

export function explanationText(explanation: Explanation, how: How): ExplanationText {
  const { id, task, reasons, retries = 0, args = '', parentId, origin } = explanation;
  const at = (time: Date): string => instant(time, how.nowMs, { utc: how.utc });
  const told = reasons.map((reason) => (TEXTS[reason.kind] as Texts[Kind])(reason as never, at, id));
  const name = `${task ?? (reasons[0]?.kind === 'group' ? 'group' : 'task')} ${id}`;
  const sent = [
    ...(origin === undefined ? [] : [`sent by ${origin}`]),
    ...(parentId === undefined ? [] : [`by task ${parentId}`]),
    ...(retries === 0 ? [] : [`attempt ${retries + 1}`]),
    ...(args === '' ? [] : [`arguments ${args}`]),
  ];
  return {
    head: `${name} ${told[0]?.head ?? 'is not known here'}.`,
    lines: [...told.flatMap(({ lines = [] }) => lines), ...(sent.length === 0 ? [] : [sent.join(', ')])],
    hints: [...new Set(told.flatMap(({ hints = [] }) => hints))],
  };
}

const ENDS: Readonly<Record<string, string>> = {
  SUCCESS: 'has succeeded',
  FAILURE: 'has failed',
  REJECTED: 'was rejected',
  IGNORED: 'ended without a result',
  REVOKED: 'was revoked',
};

const TEXTS: Texts = {
  ended: ({ state, at: ended, started, error }, at) => ({
    head: `${ENDS[state] ?? `has ended with ${state}`} ${at(ended)}`,
    lines: [
      ...(error === undefined ? [] : [error]),
      ...(started === undefined ? [] : [`it ran for ${span(ended.getTime() - started.getTime())}`]),
    ],
  }),
  expired: ({ at: expired }, at) => ({ head: `was not run: its expires had passed ${at(expired)}` }),
  revoked: ({ at: revoked, ended, terminate }, at) => ({
    head: `was revoked ${at(revoked)}`,
    lines: ended
      ? []
      : [
          `it was revoked ${at(revoked)}: ${terminate ? 'it is told to end' : 'it runs to its end, and is not started again'}`,
        ],
  }),
  skipped: ({ by, until }, at) => ({
    head: 'was left out, since another one ran',
    lines: [`task ${by} ran, and had its lock until ${at(until)} at the latest`],
  }),
  'dead-lettered': ({ queue, reason, error, deliveries }, _at, id) => ({
    head: 'was put aside',
    lines: [
      `its message lies in the dead-letter queue of ${queue}: ${reason} (${error}), after ${deliveries === 1 ? 'one delivery' : `${deliveries} deliveries`}`,
    ],
    hints: [`Run it once more: celeriac dlq redrive --id ${id}`],
  }),
  running: ({ since, until, by, deliveries, part, begun, checkpoint }, at, id) => ({
    head: `runs, ${part === undefined ? '' : `part ${part}, `}since ${at(since)}`,
    lines: [
      `in ${by}, until ${at(until)} at the latest${deliveries > 1 ? `; delivery ${deliveries}` : ''}`,
      ...progressLine(begun, checkpoint, at),
    ],
    hints: [`End it: celeriac revoke ${id} --terminate`],
  }),
  part: ({ part, begun, checkpoint }, at) => ({
    head: `goes on as part ${part}`,
    lines: progressLine(begun, checkpoint, at),
  }),
  'worker-lost': ({ since, until, deliveries }, at) => ({
    head: 'lost its worker, and comes again',
    lines: [`its worker died, which had it since ${at(since)}: its claim ended ${at(until)}; delivery ${deliveries}`],
  }),
  retry: ({ at: due, attempt, error = 'its error is kept from readers' }, at) => ({
    head: `waits for its next attempt, ${at(due)}`,
    lines: [`attempt ${attempt} failed: ${error}`],
  }),
  slot: (reason, at) => slotText(reason, at),
  granted: ({ until, ...slot }, at) => ({
    head: `was given ${slotOf(slot)}, and is on its way to a worker`,
    lines: [`the slot is kept for it until ${at(until)}`],
  }),
  rate: ({ at: slot, late }, at) => ({
    head: `waits for its rate limit: it may start ${at(slot)}`,
    lines:
      late === 0
        ? []
        : [
            `${counted(late, 'place')} of it passed while it waited in its queue: give it a queue of its own, or a longer grace`,
          ],
  }),
  delayed: ({ until }, at) => ({ head: `is not to start before ${at(until)}` }),
  debounced: ({ until, since }, at) => ({
    head: `gathers calls, and runs ${at(until)}`,
    lines: [`the first call came ${at(since)}`],
  }),
  unique: ({ key, until }) => ({
    head: 'stands for its key',
    lines: [`calls of key ${key} are answered with it until it has ${until}`],
  }),
  redriven: ({ attempt }) => ({
    head: 'is to run once more',
    lines: [`it was put aside, and sent back: attempt ${attempt + 1} runs`],
  }),
  queued: ({ queue, since, count }, at) => ({
    head: `waits in queue ${queue}${since === undefined ? '' : `, since ${at(since)}`}`,
    lines: count === undefined ? [] : [countOf(count)],
  }),
  paused: ({ queue, by, since, why }, at) => ({
    head: `waits in queue ${queue}, which is paused`,
    lines: [`queue ${queue} is paused by ${by} ${at(since)}${why === undefined ? '' : `: ${why}`}`],
    hints: [`Go on: celeriac resume ${queue}`],
  }),
  group: ({ id, done, failed, size }) => {
    const progress = `${done}${size === undefined ? '' : ` of ${size}`} ended${failed === 0 ? '' : `, ${failed} of them failed`}`;
    return { head: `is a group: ${progress}`, lines: [`group ${id}: ${progress}`] };
  },
  unknown: ({ queues }) => ({
    head: 'is not known here',
    lines: [
      'nothing is stored of it: it lies in its queue and no worker has begun it, its result has expired, or its id is another one',
      ...queues.filter(({ ready, inFlight, delayed }) => ready + inFlight + delayed > 0).map(countOf),
    ],
    hints: ['Calls that are gathered are found with --task and --key. All queues: celeriac inspect queues'],
  }),
};

function progressLine(begun: Date | undefined, checkpoint: Date | undefined, at: (time: Date) => string): string[] {
  if (begun === undefined) return [];
  return [
    `its first part began ${at(begun)}${checkpoint === undefined ? '' : `; its last checkpoint was ${at(checkpoint)}`}`,
  ];
}

// Of a hundred holders the first say enough.
const MOST_HOLDERS = 5;

function slotText({ held, limit, since, expires, ...slot }: Of<'slot'>, at: (time: Date) => string): Told {
  const { task, key, place, waiting, more } = slot;
  const shown = held.slice(0, MOST_HOLDERS).map(({ id, until }) => `${id} until ${at(until)}`);
  const others = held.length - shown.length;
  const [first] = held;
  return {
    head: `is parked: ${ordinal(place)} of ${more ? 'more than ' : ''}${waiting} in line for ${slotOf(slot)}`,
    lines: [
      `held by ${shown.length === 0 ? 'nobody: it goes on within two minutes' : shown.join(', ')}${others > 0 ? ` and ${others} more` : ''}${limit === undefined ? '' : ` (limit ${limit})`}`,
      `its message was sent ${at(since)}${expires === undefined ? '' : `, and expires ${at(expires)}`}`,
    ],
    hints: [
      ...(task === '*' ? [] : [`See all: celeriac inspect parked ${task}${key === '' ? '' : ` --key '${key}'`}`]),
      ...(first === undefined ? [] : [`Free a slot: celeriac revoke ${first.id} --terminate`]),
    ],
  };
}

function slotOf({ of, task, key }: Pick<Of<'slot'>, 'of' | 'task' | 'key'>): string {
  if (of === 'oneInstance') return `the one run of ${task}${key === '' ? '' : ` for key '${key}'`}`;
  const whose = task === '*' ? 'the shared concurrency' : `the concurrency of ${task}`;
  return `a slot of ${whose}${key === '' ? '' : `, key '${key}'`}`;
}

function ordinal(nth: number): string {
  const isTeen = nth % 100 > 10 && nth % 100 < 14;
  return `${nth}${isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][nth % 10] ?? 'th')}`;
}

function countOf({ queue, ready, inFlight, delayed }: QueueCount): string {
  return `queue ${queue}: ${ready} ready, ${inFlight} in flight, ${delayed} delayed`;
}
