/** Schedules, deployed: a rule's ticks, the sweep's, and entries that are switched off and on. */
import { DescribeRuleCommand, EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { tickId } from 'celeriac';

import type { DrillParts } from './drills-scenario.ts';
import type { Drills } from './drills/drills.ts';
import { equal, until } from './report.ts';

type App = Drills['app'];
const MINUTE_MS = 60_000;
const GRID_MS = 10_000;
/** A tick of a rule, a sweep and what it sends: each within a minute, and the emulator looks at its rules every ten seconds. */
const TWO_SWEEPS_SECONDS = 150;
/** More edits of an entry than happen here. */
const VERSIONS = 8;

export async function ticks({ report, drills: { app } }: DrillParts): Promise<void> {
  const startedMs = Date.now();
  await Promise.all([
    report.step('a rule fires, and its tick runs', async () => {
      const minutes = Array.from({ length: 4 }, (_, index) => (Math.floor(startedMs / MINUTE_MS) + index) * MINUTE_MS);
      const seen = await until(
        'the tick of a minute',
        () => Promise.all(minutes.map((ms) => stateOf(app, 'ruled', ms))),
        (states) => states.includes('SUCCESS'),
        TWO_SWEEPS_SECONDS,
      );
      return seen.join();
    }),
    swept(app, report),
  ]);
  await report.step('a rule is switched off and on', async () => {
    await app.schedules.disable('ruled');
    equal(await ruleState(), 'DISABLED');
    equal((await app.schedules.get('ruled'))?.enabled, false);
    await app.schedules.enable('ruled');
    equal(await ruleState(), 'ENABLED');
  });
}

async function swept(app: App, report: DrillParts['report']): Promise<void> {
  await report.step('sweeps send the ticks of an entry of ten seconds', async () => {
    const entry = await until(
      'an entry that has run',
      () => app.schedules.get('swept'),
      (seen) => (seen?.totalRunCount ?? 0) > 0,
      TWO_SWEEPS_SECONDS,
    );
    const lastMs = entry?.lastRunAt?.getTime() ?? 0;
    await until(
      'its tick',
      () => stateOf(app, 'swept', lastMs),
      (state) => state === 'SUCCESS',
      30,
    );
    return `${entry?.totalRunCount} sent, the last for ${entry?.lastRunAt?.toISOString()}`;
  });
  await report.step('an entry is switched off: ticks that were sent ahead do not run; and on again', async () => {
    const lastMs = (await app.schedules.get('swept'))?.lastRunAt?.getTime() ?? 0;
    const offMs = Date.now();
    await app.schedules.disable('swept');
    const afterMs = Date.now();
    const taken = Array.from({ length: 5 }, (_, index) => lastMs + (index + 1) * GRID_MS).filter(
      (ms) => ms > afterMs && ms < afterMs + 25_000,
    );
    await until(
      'the time of the ticks',
      async () => Date.now(),
      (nowMs) => nowMs > (taken.at(-1) ?? 0) + 2000,
      60,
    );
    const states = await Promise.all(taken.map((ms) => stateOf(app, 'swept', ms)));
    if (states.includes('SUCCESS'))
      throw new Error(`switched off at ${offMs}, and ${taken.join()} ended ${states.join()}`);
    await app.schedules.enable('swept');
    const onMs = Date.now();
    const grid = Array.from({ length: 20 }, (_, index) => lastMs + (index + 1) * GRID_MS).filter((ms) => ms > onMs);
    await until(
      'a tick after it was switched on',
      () => Promise.all(grid.map((ms) => stateOf(app, 'swept', ms))),
      (seen) => seen.includes('SUCCESS'),
      TWO_SWEEPS_SECONDS,
    );
    return `${taken.length} ticks ended ${states.join()}`;
  });
}

/** Of a tick, under whatever version of its entry it was sent: SUCCESS, if one ran. */
async function stateOf(app: App, entry: string, dueMs: number): Promise<string> {
  const ids = Array.from({ length: VERSIONS }, (_, version) => tickId(entry, dueMs, version));
  const states = await Promise.all(ids.map((id) => app.result(id).state()));
  return states.find((state) => state === 'SUCCESS') ?? states.find((state) => state !== 'PENDING') ?? 'PENDING';
}

export interface DeployedRule {
  readonly state: string;
  readonly expression: string;
}

/** The one rule of the beat's entry `ruled`. */
export async function deployedRule(): Promise<DeployedRule> {
  const events = new EventBridgeClient({});
  const { Rules } = await events.send(new ListRulesCommand({}));
  const names = (Rules ?? []).filter(({ Description }) => Description === "Schedule entry 'ruled'");
  equal(names.length, 1, 'rules of the entry');
  const { State, ScheduleExpression } = await events.send(new DescribeRuleCommand({ Name: names[0]?.Name ?? '' }));
  return { state: State ?? '', expression: ScheduleExpression ?? '' };
}

async function ruleState(): Promise<string> {
  return (await deployedRule()).state;
}
