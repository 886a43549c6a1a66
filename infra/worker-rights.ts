/** What whoever runs the tasks of a queue may do, a function or a process. */
import type { AppManifest } from '../lib/options/manifest.ts';
import {
  putTimers,
  readSchedules,
  receiveFrom,
  type Rights,
  sendTo,
  showAgain,
  takeRateSlots,
  takeSlots,
  workOnGroups,
  workOnMarks,
  workOnResults,
  writeHistory,
} from './grants.ts';
import type { PayloadKeys } from './payload-keys.ts';
import { onPayloads } from './payloads.ts';
import type { TaskQueues } from './queues.ts';
import type { TaskTables } from './tables.ts';

/**
 * Whether some task of a service has a rate limit, a concurrency, one instance, or a mark of its key (unique, throttle, debounce),
 * and whether its history is kept.
 */
export interface UsedFlow {
  readonly rateLimited: boolean;
  readonly slotted: boolean;
  readonly alone: boolean;
  readonly marked: boolean;
  /** Whether the history is kept. */
  readonly noted: boolean;
}

export function usedFlow({ tasks, history }: AppManifest): UsedFlow {
  const all = Object.values(tasks);
  return {
    rateLimited: all.some(({ rateLimit }) => rateLimit !== undefined),
    slotted: all.some(({ concurrency }) => concurrency !== undefined),
    marked: all.some(({ marked }) => marked === true),
    noted: history !== 'off',
    alone: all.some(({ oneInstance }) => oneInstance === true),
  };
}

export interface WorkerRightsProps {
  /** Celery's name of the queue. */
  readonly queue: string;
  /** The queue and its lanes, by name. */
  readonly fed: readonly string[];
  readonly queues: TaskQueues;
  readonly tables: TaskTables;
  readonly payloadKeys: PayloadKeys;
  /** What tasks of the service use: calls may send them to any queue. */
  readonly flow: UsedFlow;
  /** Rules send ticks to its queue. */
  readonly ticked: boolean;
}

/** It may send to every queue of the service, and rejects into its own dead-letter queue only. */
export function workerRights(props: WorkerRightsProps): Rights[] {
  const { queue, fed, queues, tables, payloadKeys, flow, ticked } = props;
  const own = fed.map((name) => queues.pair(name).queue);
  return [
    receiveFrom(own),
    showAgain(own),
    sendTo([...queues.targets, queues.pair(queue).deadLetterQueue]),
    workOnResults(tables.results),
    putTimers(tables.state),
    workOnGroups(tables.state),
    ...onPayloads(tables, ['messages', 'results'], ['put', 'get']),
    // A task may forget a result.
    ...onPayloads(tables, ['results'], ['delete']),
    ...payloadKeys.rights(['encrypt', 'decrypt']),
    ...(flow.rateLimited ? takeRateSlots(tables.state) : []),
    ...takeSlots(tables.state, flow),
    ...(flow.marked ? workOnMarks(tables.state) : []),
    ...(flow.noted ? [writeHistory(tables.state)] : []),
    ...(ticked ? [readSchedules(tables.state)] : []),
  ];
}
