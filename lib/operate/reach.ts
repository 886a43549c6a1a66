/** Whether a service's queues and tables answer, and how soon. */
import { errorMessage } from '../base/error-text.ts';
import type { Environment } from '../options/manifest.ts';
import type { Ports } from '../ports/ports.ts';
import type { QueueDepths } from '../ports/queue-depths.ts';

/** What one of them has answered. */
export interface Reached {
  readonly what: 'queues' | 'results' | 'state';
  /** Name of the table; of queues how many there are. */
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly error?: string;
}

// Nobody has it: a read of nothing.
const NOBODY = 'celeriac-ping';

/** Asks each of them one thing. Nothing is written, and no worker is woken. */
export async function reach(
  { queues, resultsTable, stateTable }: Environment,
  ports: Pick<Ports, 'backend' | 'schedules' | 'clock'>,
  depths: QueueDepths,
): Promise<Reached[]> {
  const names = Object.keys(queues);
  const ask = async (what: Reached['what'], name: string, question: () => Promise<unknown>): Promise<Reached> => {
    const startedMs = ports.clock.nowMs();
    try {
      await question();
      return { what, name, ok: true, ms: ports.clock.nowMs() - startedMs };
    } catch (error) {
      return { what, name, ok: false, ms: ports.clock.nowMs() - startedMs, error: errorMessage(error) };
    }
  };
  return Promise.all([
    ask('queues', String(names.length), () => depths.count(names.map((queue) => ({ queue })))),
    ask('results', resultsTable, () => ports.backend.get([NOBODY], ports.clock.nowMs())),
    ask('state', stateTable, () => ports.schedules.read([NOBODY])),
  ]);
}
