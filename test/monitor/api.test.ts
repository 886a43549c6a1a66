/** Every route of the monitor's API on a service in memory, in virtual time; api.long.test.ts has them on the embedded cloud. */
import { clocked, crontab, every } from 'celeriac';
import { describe, expect, it } from 'vitest';

import type {
  AuditAnswer,
  CatalogueAnswer,
  DeadLettersAnswer,
  ExplainView,
  LettersReport,
  ManyAnswer,
  OverviewAnswer,
  PurgedAnswer,
  QueuesAnswer,
  RunningAnswer,
  RunsAnswer,
  SchedulesAnswer,
  ScheduleView,
  SentAnswer,
  SlotsAnswer,
  TaskAnswer,
  TaskCountsAnswer,
  TasksAnswer,
  TreeAnswer,
  WaitingAnswer,
} from '../../lib/monitor/answers.ts';
import { ROUTES } from '../../lib/monitor/routes.ts';
import { nameOf } from '../support/monitor.ts';
import { monitorOfShop } from '../support/monitored-shop.ts';
import { shopApp } from '../support/shop-service.ts';

const shop = shopApp();
shop.app.beat({
  declared: { task: 'orders.charge', args: ['ada', 1], schedule: every('10m') },
  ruled: { task: 'orders.charge', args: ['bob', 2], schedule: crontab({ minute: '*/15' }) },
});
const letGo = Promise.withResolvers<void>();
shop.app.task('orders.line', { concurrency: { limit: 1, key: (country: string) => country } }, () => letGo.promise);
shop.app.task('orders.limited', { rateLimit: '10/m' }, () => 0);
const { monitor, world, purged, outage, told } = monitorOfShop({}, shop.app);
const call = async (task: string, args: readonly unknown[] = [], more: object = {}): Promise<string> =>
  (await monitor.act<SentAnswer>('/api/tasks', { task, args, ...more })).id;
const task = (id: string): Promise<TaskAnswer> => monitor.get(`/api/tasks/${id}`);

describe('tasks', () => {
  it('that ended have no need of an explanation; asked for it, they have one', async () => {
    const [done, failed] = [await call('orders.charge', ['ada', 12]), await call('orders.fail')];
    await world.advance('5s');
    expect(await task(done)).toMatchObject({ state: 'SUCCESS', explain: null, resultText: '{"who":"ada","cents":12}' });
    expect(await monitor.get<ExplainView>(`/api/tasks/${done}/explain`)).toMatchObject({
      tone: 'ok',
      text: expect.stringContaining('has succeeded'),
    });
    expect(await monitor.get<ExplainView>(`/api/tasks/${failed}/explain`)).toMatchObject({
      tone: 'bad',
      reasons: [{ kind: 'ended', state: 'FAILURE' }],
    });
    const { entries } = await monitor.get<TasksAnswer>('/api/tasks?state=FAILURE');
    expect(entries.map(({ id }) => id)).toEqual([failed]);
    expect(await monitor.get<TreeAnswer>(`/api/tasks/${done}/tree`)).toMatchObject({
      parent: null,
      self: { id: done },
    });
  });

  it('that wait say for what', async () => {
    const later = await call('orders.charge', ['ada', 1], { countdown: 7200 });
    expect((await task(later)).explain).toMatchObject({ tone: 'quiet', reasons: [{ kind: 'delayed' }] });
    const { tasks } = await monitor.get<WaitingAnswer>('/api/tasks/waiting');
    expect(tasks.map(({ id }) => id)).toEqual([later]);
    const [{ total }, overview] = [
      await monitor.get<TaskCountsAnswer>('/api/tasks/counts?range=6h'),
      await monitor.get<OverviewAnswer>('/api/overview?range=6h'),
    ];
    expect(total).toEqual(overview.total);
    expect(total.states['SUCCESS']).toBeGreaterThan(0);
    expect(await monitor.act('/api/tasks/revoke', { ids: [later] })).toEqual({ states: ['REVOKED'] });
    expect((await task(later)).explain).toBeNull();
  });

  it('stand in line, and run', async () => {
    const [first, second] = [await call('orders.ship', ['DE']), await call('orders.ship', ['DE'])];
    await world.advance('1s');
    const slots = await monitor.get<SlotsAnswer>('/api/slots?task=orders.ship&key=DE');
    expect(slots).toMatchObject({ limit: 1, active: [{ id: first }], reserved: [{ id: second }] });
    expect((await task(first)).explain).toMatchObject({ tone: 'work', reasons: [{ kind: 'running' }] });
    expect((await task(second)).explain).toMatchObject({ tone: 'quiet', reasons: [{ kind: 'slot', place: 1 }] });
    shop.release();
    await world.advance('3m');
    expect(await task(second)).toMatchObject({ state: 'SUCCESS' });
  });
});

describe('queues', () => {
  it('say how old what waits is, who waits for a slot, and where a pause and what feeds the workers differ', async () => {
    const views = async (): Promise<QueuesAnswer['queues']> => (await monitor.get<QueuesAnswer>('/api/queues')).queues;
    told.oldestSeconds = 754;
    expect(await views()).toMatchObject([{ oldestSeconds: 754, parked: 0 }, { eventSource: 'on' }]);
    const line = [
      await call('orders.line', ['FR']),
      await call('orders.line', ['FR']),
      await call('orders.line', ['FR']),
    ];
    await world.advance('1s');
    const running = await monitor.get<RunningAnswer>('/api/tasks/running');
    expect(running).toMatchObject({
      tasks: [{ id: line[0], task: 'orders.line', key: 'FR', waiting: line.length - 1, until: expect.any(String) }],
      more: false,
    });
    const { queues } = await monitor.get<OverviewAnswer>('/api/overview');
    expect(queues).toMatchObject([{ queue: 'default', parked: line.length - 1, oldestSeconds: 754 }, { parked: 0 }]);
    told.eventSource = 'off';
    expect((await views())[1]).toMatchObject({ mismatch: 'not fed and not paused', advice: expect.any(String) });
    const { problems } = await monitor.get<OverviewAnswer>('/api/overview');
    expect(problems).toContainEqual(expect.objectContaining({ kind: 'not-fed', subject: 'mail' }));
    told.eventSource = 'on';
    expect((await views())[1]).not.toHaveProperty('mismatch');
    letGo.resolve();
    await world.advance('1m');
    expect((await views())[0]).toMatchObject({ parked: 0 });
  });

  it('are paused, resumed and emptied by name', async () => {
    await monitor.act('/api/queues/mail/pause', { why: 'the relay is down' });
    const { problems } = await monitor.get<OverviewAnswer>('/api/overview');
    expect(problems).toContainEqual(expect.objectContaining({ kind: 'paused', subject: 'mail' }));
    expect(await monitor.act('/api/queues/mail/resume')).toEqual({ queue: 'mail', wasPaused: true });
    const purge = (body: object): Promise<PurgedAnswer> => monitor.act('/api/queues/mail/purge', body);
    expect((await purge({ name: 'mail', dryRun: true })).queues).toMatchObject([{ queue: 'mail', purged: false }]);
    const other = await monitor.ask('/api/queues/mail/purge', { method: 'POST', body: { name: 'default' } });
    expect([other.status, other.json['code'], purged]).toEqual([400, 'NAME_DIFFERS', []]);
    expect((await purge({ name: 'mail' })).queues).toMatchObject([{ queue: 'mail', purged: true }]);
    expect(purged).toEqual(['mail']);
    expect((await monitor.get('/api/queues'))['queues']).toMatchObject([
      { queue: 'default' },
      { queue: 'mail', tasks: 1 },
    ]);
  });
});

it('dead letters are grouped, looked at, sent back and dropped', async () => {
  const ids = [await call('mail.block'), await call('mail.block')];
  await world.advance('5s');
  const { groups, letters } = await monitor.get<DeadLettersAnswer>('/api/dead-letters');
  expect([groups.length, letters.length]).toEqual([1, 2]);
  expect((await monitor.get(`/api/dead-letters/${ids[0]}`))['letters']).toMatchObject([{ id: ids[0] }]);
  const chosen = { fingerprint: groups[0]?.fingerprint, id: ids[0] };
  expect(await monitor.act<LettersReport>('/api/dead-letters/redrive', { ...chosen, dryRun: true })).toMatchObject({
    sent: 1,
  });
  expect(await monitor.act<LettersReport>('/api/dead-letters/redrive', chosen)).toMatchObject({
    sent: 1,
    complete: true,
  });
  expect(await monitor.act<LettersReport>('/api/dead-letters/drop', { id: ids[1] })).toMatchObject({ dropped: 1 });
});

it('locks are freed, rates are set, the catalogue knows tasks', async () => {
  await world.app.locks.acquire('import', { info: 'night shift' });
  expect(await monitor.get('/api/locks')).toMatchObject({ locks: [{ key: 'import' }] });
  expect(await monitor.act('/api/locks/free', { key: 'import' })).toMatchObject({ lock: { info: 'night shift' } });
  await monitor.act('/api/rates', { task: 'orders.limited', limit: '5/m' });
  const { tasks } = await monitor.get<CatalogueAnswer>('/api/catalogue');
  expect(tasks.find(({ name }) => name === 'orders.limited')).toMatchObject({ rateLimitNow: '5/m' });
  await monitor.act('/api/rates', { task: 'orders.limited', limit: null });
});

describe('schedules', () => {
  const path = '/api/schedules/nightly';
  const nightly = { task: 'orders.charge', args: ['ada', 5], schedule: '1m', options: { queue: 'mail' } };
  const get = (name: string): Promise<ScheduleView> => monitor.get(`/api/schedules/${name}`);

  it('an entry is tried, stored, switched, run, renamed and deleted, and says by whom', async () => {
    const tried = await monitor.act<ScheduleView>('/api/schedules/check', { name: 'nightly', ...nightly });
    expect([tried.nextTicks.length, tried.lastRun]).toEqual([5, null]);
    const stored = await monitor.act<ScheduleView>(path, { ...nightly, createOnly: true }, 'PUT');
    expect(stored).toMatchObject({ changedBy: 'ada', choice: null, lastRun: null, version: expect.any(Number) });
    await world.advance('150s');
    const ran = await get('nightly');
    expect(ran).toMatchObject({ totalRunCount: 2, lastRun: { state: 'SUCCESS', at: ran.lastRunAt } });
    const { entries } = await monitor.get<RunsAnswer>(`${path}/runs`);
    expect(entries.map(({ id, scheduleEntry }) => [id, scheduleEntry])).toEqual([
      [ran.lastRun?.id, 'nightly'],
      [expect.any(String), 'nightly'],
    ]);
    expect((await monitor.get<RunsAnswer>(`${path}/runs?limit=1`)).cursor).toEqual(expect.any(String));
    await monitor.act(`${path}/disable`, { version: ran.version });
    expect(await monitor.act(`${path}/enable`)).toMatchObject({ enabled: true });
    const sent = await monitor.act<SentAnswer>(`${path}/run`, { args: ['eve', 9] });
    const before = await monitor.get<RunsAnswer>(`${path}/runs`);
    expect(before.begun).toMatchObject([{ id: sent.id, state: 'PENDING', by: 'ada' }]);
    await world.advance('1s');
    const after = await monitor.get<RunsAnswer>(`${path}/runs`);
    expect([after.begun, after.entries[0]?.id]).toEqual([[], sent.id]);
    expect((await task(sent.id)).resultText).toBe('{"who":"eve","cents":9}');
    // One of many, whose other one is gone: the same.
    const { results } = await monitor.act<ManyAnswer>('/api/schedules/many', {
      names: ['gone', 'nightly'],
      what: 'run',
    });
    expect(results).toMatchObject([{ ok: false }, { ok: true }]);
    const { begun } = await monitor.get<RunsAnswer>(`${path}/runs`);
    expect(begun).toEqual([expect.objectContaining({ state: 'PENDING', by: 'ada' })]);
    const listed = await monitor.get<AuditAnswer>('/api/audit?limit=2');
    expect(new Set(listed.entries.map(({ action, on }) => `${action} ${on.join(' ')}`))).toEqual(
      new Set(['schedule.many gone nightly', `schedule.run nightly ${begun[0]?.id}`]),
    );
    await world.advance('1s');
    expect((await monitor.get<RunsAnswer>(`${path}/runs`)).begun).toEqual([]);
    const renamed = await monitor.act<ScheduleView>(`${path}/rename`, { to: 'often' });
    expect(renamed).toMatchObject({ name: 'often', totalRunCount: 2, changedBy: 'ada', args: ['ada', 5] });
    expect((await monitor.ask(path)).status).toBe(404);
    expect((await monitor.ask('/api/schedules/often', { method: 'DELETE', body: { version: 1 } })).status).toBe(409);
    await monitor.act('/api/schedules/often', {}, 'DELETE');
  });

  it('what an operator says of a declared entry is shown, and taken back', async () => {
    await world.advance('2m');
    const many = (what: string): Promise<ManyAnswer> =>
      monitor.act('/api/schedules/many', { names: ['declared', 'gone'], what });
    expect((await many('disable')).results).toMatchObject([{ ok: true }, { ok: false }]);
    expect(await get('declared')).toMatchObject({ enabled: false, choice: false, changedBy: 'ada' });
    const { totals } = await monitor.get<SchedulesAnswer>('/api/schedules?search=DECLARED');
    expect(totals).toEqual({ all: 1, enabled: 0, disabled: 1, missed: 0, declared: 1 });
    expect(await monitor.act('/api/schedules/declared/follow-code')).toMatchObject({ enabled: true, choice: null });
  });

  it('of a rule its times tell when it ran last', async () => {
    await world.advance('20m');
    const { firedBy, lastRunAt, lastRun } = await get('ruled');
    expect([firedBy, lastRunAt, lastRun?.state]).toEqual(['rule', null, 'SUCCESS']);
    const { entries } = await monitor.get<RunsAnswer>('/api/schedules/ruled/runs');
    expect(entries[0]).toMatchObject({ id: lastRun?.id, scheduleEntry: 'ruled' });
  });

  it.each([
    ['mail.block', "link: 'mail.block' given; a signature is allowed"],
    [{ task: 'mail.block', args: 'ada' }, "link.args: 'ada' given; an array"],
    [[{ task: 'mail.block', kwargs: [] }], 'link[0].kwargs: [] given; an object'],
    [{ task: 'mail.block', queue: 'mail' }, "link: 'queue' is no field"],
    [{ task: '' }, "link.task: '' given; the name"],
    [{ task: 'mail.block', immutable: 1 }, 'link.immutable: 1 given; true or false'],
    [{ task: 'mail.block', options: { link: 7 } }, 'link.options.link[0]: 7 given'],
    [{ task: 'mail.block', options: { queue: 'post' } }, "Queue 'post' is not declared"],
    [{ task: 'mail.blokc' }, "a task named 'mail.blokc' is not registered in 'shop'. Did you mean 'mail.block'?"],
  ])('a link that does not fit is refused by its place: %j', async (link, told) => {
    const { status, json } = await monitor.ask('/api/schedules/check', {
      method: 'POST',
      body: { name: 'linked', ...nightly, options: { link } },
    });
    expect([status, json['detail']]).toEqual([status === 404 ? 404 : 400, expect.stringContaining(told)]);
  });

  it('links are shown, and an entry that is stored again as it was shown keeps them', async () => {
    const options = { link: { task: 'mail.block' }, linkError: [{ task: 'orders.fail', args: [1] }], retry: false };
    await monitor.act('/api/schedules/linked', { ...nightly, options }, 'PUT');
    const shown = await get('linked');
    const whole = { args: [], kwargs: {}, options: {}, subtask_type: null, immutable: false };
    expect(shown.options).toEqual({
      link: [{ ...whole, task: 'mail.block' }],
      linkError: [{ ...whole, task: 'orders.fail', args: [1] }],
      retry: false,
    });
    await monitor.act('/api/schedules/linked', { ...nightly, options: shown.options }, 'PUT');
    expect((await get('linked')).options).toEqual(shown.options);
    await world.advance('90s');
    expect((await monitor.get<TasksAnswer>('/api/tasks?task=mail.block&state=REJECTED')).entries[0]).toMatchObject({
      task: 'mail.block',
    });
    await monitor.act('/api/schedules/linked', {}, 'DELETE');
  });

  it('one that the sweeper passes over is missed here as in the overview', async () => {
    await monitor.act('/api/schedules/passed', { ...nightly, schedule: '1m' }, 'PUT');
    expect((await get('passed')).missed).toBeNull();
    // Nobody sweeps: only the clock goes on.
    outage.on = true;
    await world.advance('10m');
    outage.on = false;
    const { entries, totals } = await monitor.get<SchedulesAnswer>('/api/schedules?state=missed&search=passed');
    expect(totals).toMatchObject({ all: 1, missed: 1 });
    const { problems } = await monitor.get<OverviewAnswer>('/api/overview');
    const told = problems.find(({ kind, subject }) => kind === 'missed' && subject === 'passed');
    expect(entries[0]?.missed).toEqual({ text: told?.text, since: told?.since });
    expect(told?.text).toContain('has not fired');
    await world.advance('3m');
    expect((await get('passed')).missed).toBeNull();
    await monitor.act('/api/schedules/passed', {}, 'DELETE');
  });

  it('a time that has passed is refused', async () => {
    const body = { ...nightly, schedule: clocked(new Date(world.clock.nowMs() - 1000)) };
    expect((await monitor.ask(path, { method: 'PUT', body })).json['code']).toBe('INVALID_SCHEDULE');
  });
});

it.each(['1h', '6h', '1d', '7d'])('the overview of %s', async (range) => {
  await world.advance('2m');
  const { total, problems, until } = await monitor.get<OverviewAnswer>(`/api/overview?range=${range}`);
  expect(Date.parse(until)).toBe(world.clock.nowMs());
  expect(total.count).toBeGreaterThan(5);
  expect(problems.map(({ kind }) => kind)).not.toContain('stuck');
});

it('other code that sweeps is a deployment; the same is none', async () => {
  const versions = async (range: string): Promise<string[]> =>
    (await monitor.get<OverviewAnswer>(`/api/overview?range=${range}`)).deploys.map(({ version }) => version);
  expect(await versions('1d')).toEqual([]);
  for (const version of ['aa', 'aa', 'bb', 'bb', 'aa']) {
    await world.app.sweep({ version });
    await world.advance('1m');
  }
  expect(await versions('1h')).toEqual(['aa', 'bb', 'aa']);
  // Another process with the same code, and two of them that found it at once.
  const { history } = await world.app.ports();
  await history?.putBucket({
    every: 'deploy',
    startMs: world.clock.nowMs(),
    count: 1,
    data: new TextEncoder().encode('aa'),
    expiresAtSeconds: 4_102_444_800,
  });
  expect(await versions('1h')).toEqual(['aa', 'bb', 'aa']);
  await world.advance('2h');
  expect(await versions('1h')).toEqual([]);
  expect(await versions('6h')).toHaveLength(3);
});

it('all of it was written down', async () => {
  const { entries } = await monitor.get<AuditAnswer>('/api/audit?limit=200');
  const done = new Set(entries.filter(({ outcome }) => outcome === 'done').map(({ action }) => action));
  const actions = ROUTES.flatMap(({ action }) => action ?? []);
  expect([...new Set(actions)].filter((action) => !done.has(action))).toEqual(['schedule.check']);
});

it('every route has answered as its schema says', () => {
  expect(ROUTES.map(nameOf).filter((name) => !monitor.answered.has(name))).toEqual([]);
});
