/** What every role does with arguments and results that are too large for messages and records. */
import { chain, chord, every } from 'celeriac';

import { PATIENCE_SECONDS } from '../patience.ts';
import { LARGE } from './program.ts';
import type { Scenario } from './scenario.ts';

const GONE = 'PayloadNotFound';

/** Each part leaves the queues empty. */
export async function liveLarge(scenario: Scenario): Promise<void> {
  await sending(scenario);
  await reading(scenario);
  await lookingBack(scenario);
  await redriving(scenario);
  await losing(scenario);
  await scheduling(scenario);
}

/** Of a process outside, of a transaction, and of tasks: through a chain, a chord, and back. */
async function sending(scenario: Scenario): Promise<void> {
  for (const who of ['enqueue', 'schedules']) {
    const { echo, lengths, held } = scenario.as(who);
    await echo.delay(LARGE);
    await chain(echo.s(LARGE), echo.s()).delay();
    await chord([echo.s(LARGE), echo.s(LARGE)], lengths.s()).delay();
    // One that stands and has stored much: who finds it asks for its state alone.
    for (let times = 0; times < 2; times += 1) {
      await held.delay(LARGE);
      await scenario.deliver();
    }
  }
  await scenario.as('outbox').echo.s(LARGE).toTransactItem();
  await scenario.deliver();
  const lost = await scenario.as('enqueue').echo.delay(LARGE);
  await scenario.losePayloads(lost.id);
  await scenario.deliver();
  await throwsGone(() => scenario.as('results').app.result(lost.id).get({ timeout: PATIENCE_SECONDS }));
}

async function reading(scenario: Scenario): Promise<void> {
  const { echo, forget } = scenario.as('enqueue');
  const [done, forgotten, own, lost] = [
    await echo.delay(LARGE),
    await echo.delay(LARGE),
    await echo.delay(LARGE),
    await echo.delay(LARGE),
  ];
  await scenario.deliver();
  const { app } = scenario.as('results');
  if ((await app.result(done.id).get({ timeout: PATIENCE_SECONDS })) !== LARGE) throw new Error('another result');
  await scenario.as('manage').app.result(forgotten.id).forget();
  await forget.delay(own.id);
  await scenario.deliver();
  for (const { id } of [forgotten, own])
    if ((await app.result(id).state()) !== 'PENDING') throw new Error('it is not forgotten');
  await scenario.losePayloads(lost.id);
  await throwsGone(() => app.result(lost.id).get({ timeout: PATIENCE_SECONDS }));
}

/** Their story and why they wait, of what is there and what is not. */
async function lookingBack(scenario: Scenario): Promise<void> {
  const { echo } = scenario.as('enqueue');
  const [done, lost] = [await echo.delay(LARGE), await echo.delay(LARGE)];
  await scenario.deliver();
  await scenario.losePayloads(lost.id);
  const [{ app: history }, { app: explain }] = [scenario.as('history'), scenario.as('explain')];
  for (const { id } of [done, lost]) {
    if ((await history.history.task(id))?.state !== 'SUCCESS') throw new Error('another story');
    if ((await explain.explain(id)).state !== 'SUCCESS') throw new Error('another reason');
  }
}

/** Letters with large arguments and records: sent again as they are, with others, and none where they are gone. */
async function redriving(scenario: Scenario): Promise<void> {
  const { refuse } = scenario.as('enqueue');
  const kept = await refuse.delay(LARGE);
  const lost = await refuse.delay(LARGE);
  await scenario.deliver();
  const { deadLetters } = scenario.as('letters').app;
  await deadLetters.show(kept.id);
  await scenario.losePayloads(lost.id);
  for (const edit of [{}, { args: [`${LARGE}more`] }]) {
    const { sent, failures } = await deadLetters.redrive({ task: 'refuse', edit });
    if (sent !== 1 || failures.length !== 1) throw new Error(`redriven: ${sent}, ${JSON.stringify(failures)}`);
    await scenario.deliver();
  }
  await deadLetters.drop({ task: 'refuse' });
}

/** What came to the lost queues: a task that never ran, one that has ended, and one whose result is gone. Their arguments are read by nobody. */
async function losing(scenario: Scenario): Promise<void> {
  const { echo } = scenario.as('enqueue');
  const ids = [];
  for (let times = 0; times < 3; times += 1) ids.push((await echo.delay(LARGE)).id);
  const [, ended = '', gone = ''] = ids;
  const bodies = await scenario.taken('default');
  if (bodies.length !== ids.length) throw new Error(`${bodies.length} messages were taken`);
  await scenario.lose(bodies.slice(0, 1));
  await scenario.give(bodies.slice(1));
  for (const id of [ended, gone])
    if ((await scenario.as('results').app.result(id).get({ timeout: PATIENCE_SECONDS })) !== LARGE)
      throw new Error('another result');
  await scenario.losePayloads(gone);
  await scenario.lose(bodies.slice(1));
}

/** A timer that comes due, and a schedule entry, whose arguments are large. */
async function scheduling(scenario: Scenario): Promise<void> {
  const { app, echo } = scenario.as('schedules');
  await app.schedules.put('large', { task: echo.s(LARGE), schedule: every('30s') });
  await scenario.sweep(1);
}

async function throwsGone(call: () => Promise<unknown>): Promise<void> {
  const thrown = await call().then(
    () => undefined,
    (error: unknown) => error,
  );
  if ((thrown as Error | undefined)?.name !== GONE) throw new Error(`not told as gone, but: ${String(thrown)}`);
}
