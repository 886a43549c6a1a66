/** What groups and chords cost: requests and write units a member, and the sender's CPU and memory. */
import { Celeriac, chord, group, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { World } from 'celeriac/testing';

import { compile } from '../../lib/canvas/compile.ts';
import { NOTHING, type Tally, watch } from './counts.ts';

export async function canvasCounts(sizes: readonly number[]): Promise<[string, string][]> {
  const app = new Celeriac('bench-canvas');
  const done = { runs: 0, bodies: 0 };
  const one = app.task('one', (value: number) => {
    done.runs += 1;
    return value;
  });
  const count = app.task('count', (values: number[]) => {
    done.bodies += 1;
    return values.length;
  });
  const cloud = await LocalCloud.start(app, { logger: silentLogger, sweepEvery: '1h' });
  const tally: Tally = { ...NOTHING };
  watch(cloud.clients.sqs, cloud.clients.dynamodb, tally);
  const rows: [string, string][] = [];
  try {
    for (const size of sizes) {
      for (const kind of ['group', 'group, count: true', 'chord'] as const) {
        Object.assign(tally, NOTHING);
        Object.assign(done, { runs: 0, bodies: 0 });
        const members = Array.from({ length: size }, (_, index) => one.s(index));
        if (kind !== 'chord') {
          await group(members, { count: kind !== 'group' }).delay();
          // Nobody asks: what that costs is in docs/canvas.md.
          while (done.runs < size) await pause(50);
        } else {
          const result = await chord(members, count.s()).delay();
          if ((await result.get({ timeout: 1800, interval: 0.05 })) !== size)
            throw new Error('the body got other results');
        }
        await pause(300);
        const each = (value: number): string => (value / size).toFixed(2);
        rows.push([
          `${kind} of ${size.toLocaleString('en')}`,
          `${each(tally.sends + tally.table)} requests, ${each(tally.writes)} WRU, of that ${(tally.groupWrites / size).toFixed(3)} for counting (ten a batch share writes)`,
        ]);
      }
    }
    return rows;
  } finally {
    await cloud.stop();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Compiling, and a whole run with memory ports in virtual time. */
export async function canvasCpu(size: number): Promise<[string, string][]> {
  const app = new Celeriac('bench-compile');
  const one = app.task('one', (value: number) => value);
  const count = app.task('count', (values: number[]) => values.length);
  const members = Array.from({ length: size }, (_, index) => one.s(index));
  const sig = chord(members, count.s());
  const before = memory();
  const startMs = performance.now();
  const plan = compile(sig, 'bench');
  const compileMs = performance.now() - startMs;
  const compiledMiB = memory() - before;
  const world = new World(app, { start: 0 });
  const sendMs = performance.now();
  const result = await sig.delay();
  const sentMs = performance.now() - sendMs;
  const runMs = performance.now();
  await world.drain();
  if ((await result.get()) !== size) throw new Error('the body got other results');
  const shown = size.toLocaleString('en');
  return [
    [
      `compile a chord of ${shown}`,
      `${compileMs.toFixed(0)} ms, ${compiledMiB.toFixed(0)} MiB, ${plan.messages.length.toLocaleString('en')} messages`,
    ],
    [`send it (memory broker)`, `${sentMs.toFixed(0)} ms, ${((sentMs / size) * 1000).toFixed(0)} µs a member`],
    [`run it in virtual time`, `${((performance.now() - runMs) / 1000).toFixed(1)} s`],
  ];
}

function memory(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}
