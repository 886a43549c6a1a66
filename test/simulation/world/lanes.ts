/** Tasks of a queue with lanes: programs of a stream of their own, and what must be true of them. */
import type { World } from 'celeriac/testing';

import type { Random } from '../../../lib/base/time.ts';
import type { Ledger } from './ledger.ts';
import type { Leaf, Program } from './program.ts';

/** The queue and what is said of it: at most four tasks of a lane at once. */
export const LANE_QUEUE = 'lanes';
export const LANE_QUEUE_OPTIONS = { priorities: [0, 5], concurrency: { 0: 4, 5: 4 } } as const;
export const LANE_TASK = 'lane';

const FIRST_OF_LOWER_LANE = 5;
const PRIORITIES = 10;
const CLUSTERS = 6;
const LONGEST_SECONDS = 30;

/** A run of a task of the queue. */
export interface LaneRun {
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
}

/** By the number of the program after which they are sent: many that take their time, and some urgent ones among them. */
export function lanePrograms(random: Random, programs: number): ReadonlyMap<number, readonly Program[]> {
  const int = (limit: number): number => Math.floor(random.next() * limit);
  const planned = new Map<number, Program[]>();
  if (programs === 0) return planned;
  for (let cluster = 0; cluster < CLUSTERS; cluster += 1) {
    const at = int(programs);
    const beside = planned.get(at) ?? [];
    planned.set(at, beside);
    for (let count = 4 + int(8); count > 0; count -= 1) {
      const leaf = laneLeaf(`l${cluster}-${count}`, int(PRIORITIES), int);
      beside.push({ name: leaf.key, tree: leaf, explicitIds: true, link: false });
    }
  }
  return planned;
}

function laneLeaf(name: string, priority: number, int: (limit: number) => number): Leaf {
  const behaviours: readonly Leaf['behaviour'][] = [
    { kind: 'ok' },
    { kind: 'slow', seconds: 1 + int(LONGEST_SECONDS) },
    { kind: 'slow', seconds: 1 + int(LONGEST_SECONDS) },
    { kind: 'requeue' },
    { kind: 'retry', times: 1 + int(3), seconds: int(2) === 0 ? 2 : 1000, own: true },
    { kind: 'die', times: 1 },
  ];
  return {
    type: 'leaf',
    key: `${name}.1`,
    task: LANE_TASK,
    behaviour: behaviours[int(behaviours.length)] ?? { kind: 'ok' },
    priority,
    // Beyond a quarter of an hour it is a timer.
    ...(int(3) === 0 ? { countdown: int(2) === 0 ? 1 + int(60) : 1000 + int(600) } : {}),
  };
}

/** Whatever sends it on, a task stays in the lane of its priority. */
export function checkLanes({
  laneRuns,
  violate,
}: Pick<Ledger, 'laneRuns'> & { readonly violate: Ledger['violate'] }): void {
  for (const { id, queue, priority } of laneRuns) {
    const lane = priority < FIRST_OF_LOWER_LANE ? LANE_QUEUE : `${LANE_QUEUE}-p${FIRST_OF_LOWER_LANE}`;
    if (queue !== lane) violate('a task stays in its lane', `${id} of priority ${priority} runs in ${queue}`, id);
  }
}

const CROWD = 12;
const URGENT = 6;
const SLOW_SECONDS = 20;
const PAUSE_SECONDS = 3;
// SQS delays nothing here; a worker takes a moment.
const AT_ONCE_MS = 1500;

interface Sent {
  readonly key: string;
  readonly atMs: number;
  readonly urgent: boolean;
}

/** Nothing is in the way but other tasks: a lane full of them delays none of the other, and ends itself. */
export async function laneProbe(
  { clock, advance }: { readonly clock: World['clock']; readonly advance: (seconds: number) => Promise<void> },
  send: (program: Program) => Promise<void>,
): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  const one = async (key: string, priority: number, behaviour: Leaf['behaviour']): Promise<void> => {
    sent.push({ key, atMs: clock.nowMs(), urgent: priority < FIRST_OF_LOWER_LANE });
    const tree: Leaf = { type: 'leaf', key, task: LANE_TASK, priority, behaviour };
    await send({ name: key, tree, explicitIds: true, link: false });
  };
  for (let n = 0; n < CROWD; n += 1)
    await one(`crowd-${n}.1`, FIRST_OF_LOWER_LANE + (n % 5), { kind: 'slow', seconds: SLOW_SECONDS });
  for (let n = 0; n < URGENT; n += 1) {
    await advance(PAUSE_SECONDS);
    await one(`urgent-${n}.1`, n % FIRST_OF_LOWER_LANE, { kind: 'ok' });
  }
  return sent;
}

export function checkLaneProbe(ledger: Ledger, sent: readonly Sent[]): void {
  for (const { key, atMs, urgent } of sent) {
    const waitedMs = (ledger.runsByKey.get(key)?.[0]?.atMs ?? Infinity) - atMs;
    if (urgent && waitedMs > AT_ONCE_MS)
      ledger.violate('an urgent task does not wait behind others', `${key} waited ${waitedMs} ms`, key);
    // Two workers at least, each of which runs its own one after another at worst.
    if (!urgent && waitedMs > CROWD * SLOW_SECONDS * 1000)
      ledger.violate('no lane waits for ever', `${key} waited ${waitedMs} ms`, key);
  }
}
