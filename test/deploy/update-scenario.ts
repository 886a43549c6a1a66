/** A deployment while tasks are under way: another concurrency, another cron, one more queue. */
import { type AsyncResult, enqueueMany } from 'celeriac';

import { connect } from './connect.ts';
import type { DrillParts } from './drills-scenario.ts';
import type { Emulator } from './emulator.ts';
import { LambdaApi } from './lambda-api.ts';
import { equal, type Report } from './report.ts';
import { deployedRule } from './ticks.ts';

const PATIENCE = { timeout: 180 };
const NAPS = 20;
const WAVES = 5;
const WAVE_MS = 1000;

export interface UpdateParts extends DrillParts {
  readonly emulator: Emulator;
  /** Deploys the second version. */
  readonly deploy: () => Promise<unknown>;
}

export async function updateScenario({ report, drills: first, emulator, deploy }: UpdateParts): Promise<void> {
  const results: AsyncResult<{ label: string; version: number }>[] = [];
  const send = async (count: number, wave: string, countdown: number): Promise<void> => {
    const naps = Array.from({ length: count }, (_, index) =>
      first.nap.signature([0.5, `${wave}-${index}`], { countdown }),
    );
    results.push(...(await enqueueMany(naps)));
  };
  await report.needed(`${NAPS} tasks at work, as many with countdowns, and callers that go on`, async () => {
    await send(NAPS, 'now', 0);
    for (let seconds = 1; seconds <= NAPS; seconds += 1) await send(1, `in-${seconds}`, seconds);
  });
  await report.needed('cdk deploy: one more queue, another cron, another concurrency', async () => {
    const deployed = deploy();
    let over = false;
    const ended = deployed.finally(() => {
      over = true;
    });
    for (let wave = 0; wave < WAVES || !over; wave += 1) {
      await send(2, `wave-${wave}`, wave % 3);
      await new Promise((resolve) => setTimeout(resolve, WAVE_MS));
    }
    await ended;
  });
  await report.step('nothing was lost: every task that was under way has its result', async () => {
    const ended = await Promise.all(results.map(async (result) => ({ result, value: await result.get(PATIENCE) })));
    const versions = Object.groupBy(ended, ({ value }) => `version ${value.version}`);
    equal(new Set(ended.map(({ value }) => value.label)).size, results.length, 'labels');
    return Object.entries(versions)
      .map(([version, runs]) => `${version}: ${runs?.length}`)
      .join(', ');
  });
  const { second } = await import('./drills/second.ts');
  await report.step('the new queue has a worker, for each of its lanes', async () => {
    await connect(second.app, emulator, 'CeleriacDrills-TasksSweeper');
    const lanes = [0, 5].map((priority) => second.add.applyAsync([1, priority], { queue: 'third', priority }));
    equal(await Promise.all((await Promise.all(lanes)).map((sent) => sent.get(PATIENCE))), [1, 6]);
  });
  await report.step('the second version is what runs', async () => {
    equal(await (await second.nap.delay(0, 'last')).get(PATIENCE), { label: 'last', version: 2 });
  });
  await changed(report, emulator);
}

async function changed(report: Report, emulator: Emulator): Promise<void> {
  await report.step('the concurrency is the new one', async () => {
    const sources = await new LambdaApi(emulator.endpoint).eventSources();
    const ofSecond = sources.filter(({ FunctionArn }) => FunctionArn.includes('CeleriacDrills-TasksWorkerssecond'));
    equal(
      ofSecond.map(({ ScalingConfig }) => ScalingConfig?.MaximumConcurrency),
      [5],
    );
  });
  if (!emulator.updatesRules) return report.note(`Skipped: the cron: ${emulator.name} changes no rules.`);
  await report.step('the cron is the new one', async () => {
    equal((await deployedRule()).expression, 'cron(0/2 * * * ? *)');
  });
}
