/** Tasks that go on in parts, as a simulation sends them: what each does, step by step, and what must come of it. Pure. */
import type { Random } from '../../../lib/base/time.ts';

/** What happens once in a job, before the step `at`. */
export type Twist =
  | { readonly kind: 'none' }
  /** It asks for retries, until it has had `times` of them. */
  | { readonly kind: 'retry'; readonly at: number; readonly times: number }
  | { readonly kind: 'fail'; readonly at: number }
  /** Its worker is killed, the first `times` times. */
  | { readonly kind: 'die'; readonly at: number; readonly times: number }
  /** It does not come back, in a part that has made a step before. */
  | { readonly kind: 'hang'; readonly at: number }
  /** It does not come back, in any part. */
  | { readonly kind: 'stuck'; readonly at: number }
  /** It is put aside, until it is redriven. */
  | { readonly kind: 'reject'; readonly at: number }
  /** It sends another task. */
  | { readonly kind: 'spawn'; readonly at: number };

export const JOB_TASKS = ['free', 'slot', 'alone', 'left', 'short', 'few', 'ordered', 'turn'] as const;
export type JobTask = (typeof JOB_TASKS)[number];

export interface Job {
  readonly key: string;
  readonly task: JobTask;
  /** Of what runs one at a time, and of a FIFO queue's group. */
  readonly line: string;
  readonly steps: number;
  readonly stepSeconds: number;
  /** It goes on of its own accord after so many steps; 0: at checkpoints only, where time is over. */
  readonly goOnEvery: number;
  readonly twist: Twist;
}

export interface PartPlan {
  readonly kind: 'one' | 'chain' | 'chord';
  readonly jobs: readonly Job[];
  /** Seconds from when it was sent to when it may not begin any more. */
  readonly expires?: number;
  readonly countdown?: number;
  /** Seconds from when it was sent. */
  readonly revoke?: { readonly after: number; readonly terminate: boolean };
}

export const INVOCATION_SECONDS = 60;
export const SHORT_SECONDS = 30;
/** Workers that die in a row without a new checkpoint. */
export const MAX_DELIVERIES = 4;
export const MAX_RETRIES = 3;
/** Of FIFO queues: what docs/long-tasks.md says. */
const FIFO_PARTS = 20;
/** Whose message stays in its queue between its parts. */
export const FIFO_TASKS: ReadonlySet<JobTask> = new Set(['ordered', 'turn']);
const PARTS: Readonly<Record<JobTask, number>> = {
  free: 80,
  slot: 80,
  alone: 80,
  left: 80,
  short: 6,
  few: 3,
  ordered: FIFO_PARTS,
  turn: 5,
};
const LINES = 2;
/** Tasks of which one runs at a time, in each line. */
export const LOCKED_TASKS: ReadonlySet<JobTask> = new Set(['slot', 'alone', 'left', 'turn']);

export function maxPartsOf(task: JobTask): number {
  return PARTS[task];
}

export function drawPlans(random: Random, count: number): readonly PartPlan[] {
  const int = (limit: number): number => Math.floor(random.next() * limit);
  return Array.from({ length: count }, (_, index) => drawPlan(`j${index}`, int));
}

function drawPlan(name: string, int: (limit: number) => number): PartPlan {
  const kind = (['one', 'one', 'one', 'chain', 'chord'] as const)[int(5)] ?? 'one';
  const size = kind === 'one' ? 1 : 2 + int(2);
  const drawn = Array.from({ length: size }, (_, index) => drawJob(`${name}.${index}`, kind, int));
  // Often all want the same slot at once: what one loses between two parts another one takes.
  const [{ task, line } = {}] = kind === 'chord' && int(2) === 0 ? drawn : [];
  const jobs = drawn.map((job) => ({ ...job, ...(task && line !== undefined && { task, line }) }));
  if (kind !== 'one') return { kind, jobs };
  return {
    kind,
    jobs,
    ...(int(8) === 0 ? { expires: 60 + int(120) } : {}),
    ...(int(6) === 0 ? { countdown: int(2) === 0 ? 1 + int(60) : 1200 } : {}),
    ...(int(6) === 0 ? { revoke: { after: 1 + int(240), terminate: int(2) === 0 } } : {}),
  };
}

function drawJob(key: string, kind: PartPlan['kind'], int: (limit: number) => number): Job {
  const task = JOB_TASKS[int(JOB_TASKS.length)] ?? 'free';
  const steps = 1 + int(FIFO_TASKS.has(task) ? 8 : 16);
  const at = int(steps);
  const twists: readonly Twist[] = [
    { kind: 'retry', at, times: 1 + int(2) },
    { kind: 'die', at, times: 1 + int(5) },
    { kind: 'hang', at },
    { kind: 'spawn', at },
    { kind: 'fail', at },
    { kind: 'stuck', at },
    // A message that is put aside goes on by hand; what waits for it then has heard of a failure.
    kind === 'one' ? { kind: 'reject', at } : { kind: 'spawn', at },
  ];
  const drawn: Twist = int(2) === 0 ? { kind: 'none' } : (twists[int(twists.length)] ?? { kind: 'none' });
  // One that is cut off in the last part that it may have.
  const twist: Twist = task === 'few' && int(2) === 0 ? { kind: 'hang', at } : drawn;
  return {
    key,
    task,
    line: `line-${int(LINES)}`,
    steps,
    stepSeconds: 1 + int(20),
    goOnEvery: int(3) === 0 ? 1 + int(4) : 0,
    twist,
  };
}

/** What a job carries from part to part. */
export interface JobState {
  readonly at: number;
  readonly sum: number;
  readonly children: readonly string[];
}

/** What a job has come to after `at` steps, told from its key and from what it was given. */
export function sumAfter(key: string, given: unknown, at: number): number {
  let sum = 0;
  for (const letter of `${key} ${JSON.stringify(given ?? null)}`)
    sum = Math.imul(sum ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  for (let step = 1; step <= at; step += 1) sum = nextSum(sum, step);
  return sum;
}

export function nextSum(sum: number, step: number): number {
  return Math.imul(sum ^ step, 0x01000193) >>> 0;
}

/** A tenth of a second of each invocation's beginning may be gone before its task begins. */
const BEGINNING_SECONDS = 0.1;

/**
 * Parts of a job that nothing disturbs, as docs/long-tasks.md has it: a part ends at a checkpoint when less is left than five
 * seconds, than a tenth of it, or than one and a quarter of the longest step. Undefined where a step ends on the border.
 */
export function undisturbedParts({ steps, stepSeconds, goOnEvery, task }: Job, wholeSeconds: number): number {
  const whole = (task === 'short' ? Math.min(SHORT_SECONDS, wholeSeconds) : wholeSeconds) - BEGINNING_SECONDS;
  const reserve = Math.max(Math.min(5, whole / 10), 1.25 * stepSeconds);
  let parts = 1;
  let inPart = 0;
  for (let at = 1; at <= steps; at += 1) {
    inPart += 1;
    const says = goOnEvery > 0 && at % goOnEvery === 0;
    if (!says && whole - inPart * stepSeconds > reserve) continue;
    parts += 1;
    inPart = 0;
  }
  return parts;
}
