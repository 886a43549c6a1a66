/** What needs a look, worst first. Pure. */
import type { Stats, StatsCounts } from '../history/stats.ts';
import type { QueueDetail } from '../operate/queue-details.ts';
import type { ScheduledTask } from '../operate/scheduled.ts';
import type { StoredSchedule } from '../beat/schedule-view.ts';
import { FAILURE, REJECTED } from '../base/states.ts';
import type { ProblemView } from './answers.ts';
import { LATE_SECONDS, missedBy } from './missed.ts';

/** What is looked at. */
export interface Sights {
  /** Of the range that is shown. */
  readonly stats: Pick<Stats, 'buckets' | 'tasks'>;
  /** Of as long a time before it; undefined where that is not kept. */
  readonly before: Pick<Stats, 'tasks'> | undefined;
  readonly queues: readonly QueueDetail[];
  readonly schedules: readonly StoredSchedule[];
  /** What waits in the table, the next first. */
  readonly waiting: readonly ScheduledTask[];
  readonly nowMs: number;
}

const ORDER: readonly ProblemView['kind'][] = [
  'failing',
  'lost',
  'dead-letters',
  'missed',
  'behind',
  'stuck',
  'not-fed',
  'paused',
];
// Below it chance decides: one of three.
const LEAST_FAILURES = 3;
const LEAST_SHARE = 0.05;
// Twice what is usual is news; the same share every day is known.
const GROWTH = 2;
// A queue that is empty within so long is no trouble.
const PATIENCE_SECONDS = 600;

export function problemsOf(sights: Sights): ProblemView[] {
  const all = [
    ...failing(sights),
    ...lost(sights),
    ...deadLetters(sights),
    ...missed(sights),
    ...behind(sights),
    ...stuck(sights),
    ...notFed(sights),
    ...paused(sights),
  ];
  return all.toSorted((left, right) => ORDER.indexOf(left.kind) - ORDER.indexOf(right.kind) || right.now - left.now);
}

function failing({ stats, before }: Sights): ProblemView[] {
  return stats.tasks.flatMap(({ task, ...counts }) => {
    const failures = failuresIn(counts);
    const share = shareOf(counts);
    const earlier = before?.tasks.find((each) => each.task === task);
    const usual = earlier === undefined ? null : shareOf(earlier);
    if (failures < LEAST_FAILURES || share < LEAST_SHARE || (usual !== null && share < usual * GROWTH)) return [];
    const text = `${failures} of ${counts.count} attempts of ${task} failed.`;
    return [{ kind: 'failing', subject: task, text, now: share, usual, unit: 'share', since: null }];
  });
}

/** A worker that dies says nothing: what it ran runs again, or fails after too many of that. */
function lost({ stats, before }: Sights): ProblemView[] {
  return stats.tasks.flatMap(({ task, count, lostRuns }): ProblemView[] => {
    if (lostRuns === 0) return [];
    const usual = before === undefined ? null : (before.tasks.find((each) => each.task === task)?.lostRuns ?? 0);
    const text = `${lostRuns === 1 ? 'A run' : `${lostRuns} runs`} of ${task} ended without a word: a worker died, or ran out of time. ${count} attempts ended.`;
    return [{ kind: 'lost', subject: task, text, now: lostRuns, usual, unit: 'runs', since: null }];
  });
}

/** How many ended as they should not have. */
export function failuresIn({ states }: Pick<StatsCounts, 'states'>): number {
  return (states[FAILURE] ?? 0) + (states[REJECTED] ?? 0);
}

function shareOf(counts: StatsCounts): number {
  return counts.count === 0 ? 0 : failuresIn(counts) / counts.count;
}

function deadLetters({ queues }: Sights): ProblemView[] {
  return queues.flatMap(({ queue, dead = 0 }) =>
    dead === 0
      ? []
      : [
          {
            kind: 'dead-letters',
            subject: queue,
            text: `${dead} dead ${dead === 1 ? 'letter lies' : 'letters lie'} in queue ${queue}.`,
            now: dead,
            usual: null,
            unit: 'messages',
            since: null,
          },
        ],
  );
}

function missed({ schedules, nowMs }: Sights): ProblemView[] {
  return schedules.flatMap((entry): ProblemView[] => {
    const found = missedBy(entry, nowMs);
    if (found === undefined) return [];
    const { text, since } = found;
    const told = {
      kind: 'missed',
      subject: entry.name,
      text,
      usual: null,
      since: since?.toISOString() ?? null,
    } as const;
    return found.kind === 'not sent' || since === null
      ? [{ ...told, now: 1, unit: 'ticks' }]
      : [{ ...told, now: (nowMs - since.getTime()) / 1000, unit: 'seconds' }];
  });
}

/** What waits in the table is sent a little before its time, by the sweeper alone. */
function stuck({ waiting, nowMs }: Sights): ProblemView[] {
  const late = waiting.filter(({ due }) => due.getTime() < nowMs - LATE_SECONDS * 1000);
  const [first] = late;
  if (first === undefined) return [];
  const since = first.due.toISOString();
  const others =
    late.length === 1 ? '' : ` ${late.length - 1} more ${late.length === 2 ? 'is' : 'are'} late, at least.`;
  const text = `Task ${first.name ?? ''} ${first.id} was to be sent at ${since}, and was not: the sweeper does not run, or cannot send.${others}`;
  return [
    {
      kind: 'stuck',
      subject: first.id,
      text,
      now: (nowMs - first.due.getTime()) / 1000,
      usual: null,
      unit: 'seconds',
      since,
    },
  ];
}

/** What is ready takes longer than people wait, at the pace of the last minutes of all queues. */
function behind({ queues, stats }: Sights): ProblemView[] {
  const recent = stats.buckets.slice(-RECENT_BUCKETS);
  const [first, second] = stats.buckets;
  const bucketSeconds =
    first === undefined || second === undefined ? 0 : (second.start.getTime() - first.start.getTime()) / 1000;
  const ended = recent.reduce((sum, { count }) => sum + count, 0);
  const perSecond = bucketSeconds === 0 ? 0 : ended / (recent.length * bucketSeconds);
  return queues.flatMap(({ queue, ready, state }) => {
    if (state !== 'running' || ready < LEAST_READY) return [];
    const seconds = perSecond === 0 ? null : ready / perSecond;
    if (seconds !== null && seconds < PATIENCE_SECONDS) return [];
    const text =
      seconds === null
        ? `${ready} messages wait in queue ${queue}, and nothing has ended for a while.`
        : `${ready} messages wait in queue ${queue}: about ${Math.ceil(seconds / 60)} min of work.`;
    return [{ kind: 'behind', subject: queue, text, now: ready, usual: null, unit: 'messages', since: null }];
  });
}
const RECENT_BUCKETS = 5;
const LEAST_READY = 100;

function paused({ queues, nowMs }: Sights): ProblemView[] {
  return queues.flatMap(({ queue, ready, paused: pause }) =>
    pause === undefined
      ? []
      : [
          {
            kind: 'paused',
            subject: queue,
            text: `Queue ${queue} is paused by ${pause.by}${pause.why === undefined ? '' : `: ${pause.why}`}; ${ready} messages wait.`,
            now: (nowMs - pause.since.getTime()) / 1000,
            usual: null,
            unit: 'seconds',
            since: pause.since.toISOString(),
          },
        ],
  );
}

/** Pauses and what feeds the workers do not agree: for a minute while one is switched, longer where somebody did it elsewhere. */
function notFed({ queues }: Sights): ProblemView[] {
  return queues.flatMap(({ queue, ready, mismatch, advice = '' }) =>
    mismatch === undefined
      ? []
      : [
          {
            kind: 'not-fed',
            subject: queue,
            text: `Queue ${queue} is ${mismatch}: ${MISMATCHES[mismatch]}. ${advice}`,
            now: ready,
            usual: null,
            unit: 'messages',
            since: null,
          },
        ],
  );
}
const MISMATCHES: Readonly<Record<NonNullable<QueueDetail['mismatch']>, string>> = {
  'paused but fed': 'workers get what lies there',
  'not fed and not paused': 'workers get nothing',
};
