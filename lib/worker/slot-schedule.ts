/** When somebody looks at a key's holders next. */
import { PUMP_TASK } from '../canvas/own-tasks.ts';
import { prepareChecked } from '../producer/producer.ts';
import { publish } from '../producer/publish.ts';
import type { SlotPorts } from './slot-ports.ts';

/** Sends the message. What it looks at is written after that. */
export async function scheduleCheck(key: string, dueMs: number, queue: string, ports: SlotPorts): Promise<void> {
  const { app } = ports;
  const eta = new Date(dueMs);
  const { prepared } = prepareChecked(
    app,
    PUMP_TASK,
    [key, dueMs],
    { queue, eta, taskId: ports.ids.next() },
    { parentId: null },
  );
  await publish([prepared], ports, app.settings);
}
