/** CPU per task in the worker's own code: memory ports, no SDK, no network. */
import { Celeriac, silentLogger } from 'celeriac';

import { encodeMessage } from '../../lib/wire/encode-message.ts';
import { MemoryBackend, MemoryBroker, MemoryGroups, MemorySchedules, MemoryTimers } from '../../lib/memory/index.ts';
import { prepareCall } from '../../lib/producer/producer.ts';
import { systemClock, systemIds } from '../../lib/base/time.ts';

const BATCHES = 200;
const BATCH = 10;

export async function cpu(rounds: number): Promise<[string, string][]> {
  const app = new Celeriac('bench-cpu', { logger: silentLogger });
  app.task('plain', (value: number) => value);
  const broker = new MemoryBroker({ clock: systemClock, ids: systemIds, queues: app.settings.queues });
  const consumes: number[] = [];
  const encodes: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    app.use({
      broker,
      backend: new MemoryBackend(),
      timers: new MemoryTimers({ shards: 1 }),
      schedules: new MemorySchedules(),
      groups: new MemoryGroups(),
    });
    const beforeEncode = process.cpuUsage();
    const bodies: string[] = [];
    for (let index = 0; index < BATCHES * BATCH; index += 1)
      bodies.push(encodeMessage((await prepareCall(app, 'plain', [index])).message));
    const encoded = process.cpuUsage(beforeEncode);
    const before = process.cpuUsage();
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const deliveries = bodies.slice(batch * BATCH, (batch + 1) * BATCH).map((body, index) => ({
        messageId: `${batch}-${index}`,
        receipt: `${batch}-${index}`,
        body,
        queue: 'default',
        receiveCount: 1,
      }));
      await app.consume(deliveries, { deadlineMs: systemClock.nowMs() + 60_000, requestId: `batch-${batch}` });
    }
    const used = process.cpuUsage(before);
    // The first round warms up.
    if (round < 0) continue;
    consumes.push((used.user + used.system) / (BATCHES * BATCH));
    // Encoded twice above: once in prepareCall, once for the body.
    encodes.push((encoded.user + encoded.system) / (BATCHES * BATCH) / 2);
  }
  return [
    ['consume', `${median(consumes).toFixed(0)} µs a task, ten a batch`],
    ['a message out, encoded', `${median(encodes).toFixed(0)} µs`],
  ];
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
