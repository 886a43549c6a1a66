/** A task's attempts on one axis, with the gaps between them named. Pure. */
import { duration, instant } from './words.ts';

export type SegmentKind = 'delayed' | 'queued' | 'parked' | 'retry' | 'run' | 'fail';

export interface Segment {
  readonly kind: SegmentKind;
  readonly startMs: number;
  readonly endMs: number;
  /** In words, without how long it took. */
  readonly label: string;
}

export interface Lane {
  /** From 1. */
  readonly attempt: number;
  readonly segments: readonly Segment[];
  readonly tookSeconds: number;
}

export interface Timeline {
  readonly startMs: number;
  readonly endMs: number;
  readonly lanes: readonly Lane[];
}

/** An attempt as the history tells it. */
export interface ShownAttempt {
  readonly attempt: number;
  readonly state: string;
  readonly endedAt: string;
  readonly startedAt: string | null;
  readonly waitSeconds: number | null;
}

/** @param runningSince of an attempt that runs; null for none */
export function timelineOf(
  attempts: readonly ShownAttempt[],
  runningSince: string | null,
  nowMs: number,
): Timeline | undefined {
  const ends = attempts.map(({ endedAt }) => instant(endedAt));
  const lanes = attempts.map((attempt, index) => laneOf(attempt.attempt + 1, segmentsOf(attempt, ends[index - 1])));
  const previousEndMs = ends.at(-1);
  const lastEndMs = previousEndMs ?? -Infinity;
  if (runningSince !== null && instant(runningSince) > lastEndMs) {
    const startMs = instant(runningSince);
    const gap: Segment[] =
      previousEndMs === undefined ? [] : [{ kind: 'retry', startMs: previousEndMs, endMs: startMs, label: 'Retry in' }];
    const run: Segment = { kind: 'run', startMs, endMs: Math.max(nowMs, startMs), label: 'Running' };
    lanes.push(laneOf((attempts.at(-1)?.attempt ?? -1) + 2, [...gap, run]));
  }
  const all = lanes.flatMap(({ segments }) => segments);
  if (all.length === 0) return undefined;
  const startMs = Math.min(...all.map((segment) => segment.startMs));
  // An axis of no length shows nothing.
  const endMs = Math.max(...all.map((segment) => segment.endMs), startMs + 1);
  return { startMs, endMs, lanes };
}

function segmentsOf(attempt: ShownAttempt, previousEndMs: number | undefined): Segment[] {
  const endMs = instant(attempt.endedAt);
  if (attempt.startedAt === null) return [{ kind: 'queued', startMs: endMs, endMs, label: 'Not run' }];
  const startMs = instant(attempt.startedAt);
  const waitedMs = Math.max(0, (attempt.waitSeconds ?? 0) * 1000);
  // Clocks of two machines: nothing begins before what it follows.
  const dueMs = Math.max(startMs - waitedMs, previousEndMs ?? -Infinity);
  const before: Segment[] = [
    ...(previousEndMs === undefined
      ? []
      : [{ kind: 'retry' as const, startMs: previousEndMs, endMs: Math.min(dueMs, startMs), label: 'Retry in' }]),
    { kind: 'queued', startMs: Math.min(dueMs, startMs), endMs: startMs, label: 'Queued' },
  ];
  const isFailed = ['FAILURE', 'REJECTED', 'RETRY'].includes(attempt.state);
  const run: Segment = { kind: isFailed ? 'fail' : 'run', startMs, endMs: Math.max(endMs, startMs), label: 'Ran' };
  return [...before.filter((segment) => segment.endMs > segment.startMs), run];
}

function laneOf(attempt: number, segments: readonly Segment[]): Lane {
  const first = segments[0]?.startMs ?? 0;
  return { attempt, segments, tookSeconds: ((segments.at(-1)?.endMs ?? first) - first) / 1000 };
}

const SHARE_WORDS: Readonly<Record<SegmentKind, string>> = {
  delayed: 'delayed',
  queued: 'queued',
  parked: 'parked',
  retry: 'waiting to retry',
  run: 'running',
  fail: 'running',
};

/** `3 min 29 s: 43 % running, 18 % waiting to retry, 3 % queued`. */
export function sharesText({ startMs, endMs, lanes }: Timeline): string {
  const sums = new Map<string, number>();
  for (const { kind, startMs: from, endMs: to } of lanes.flatMap(({ segments }) => segments))
    sums.set(SHARE_WORDS[kind], (sums.get(SHARE_WORDS[kind]) ?? 0) + to - from);
  const whole = endMs - startMs;
  const parts = [...sums]
    .map(([word, ms]) => ({ word, percent: Math.round((ms / whole) * 100) }))
    .filter(({ percent }) => percent > 0)
    .toSorted((left, right) => right.percent - left.percent);
  const text = parts.map(({ word, percent }) => `${percent} % ${word}`).join(', ');
  return text === '' ? duration(whole / 1000) : `${duration(whole / 1000)}: ${text}`;
}

/** Round steps of the axis, in milliseconds from its start: five or so. */
export function axisSteps({ startMs, endMs }: Pick<Timeline, 'startMs' | 'endMs'>): number[] {
  const whole = endMs - startMs;
  const step = ROUND_STEPS_MS.find((each) => whole / each <= MOST_STEPS) ?? whole / MOST_STEPS;
  return Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) => index * step);
}
const MOST_STEPS = 6;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const ROUND_STEPS_MS: readonly number[] = [
  ...[1, 10, 100].flatMap((tens) => [tens, 2 * tens, 5 * tens]),
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 6, 12, 24, 48, 168].map((hours) => hours * HOUR),
];
