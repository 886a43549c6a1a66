/** The monitor's API on a busy service of the embedded cloud: every route, each answer held by its schema. */
import { get } from 'node:http';

import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../lib/base/time.ts';
import { openService } from '../../lib/cli/find-service.ts';
import { monitoredService } from '../../lib/cli/monitored-service.ts';
import type { Service } from '../../lib/cli/service.ts';
import type {
  AuditAnswer,
  CatalogueAnswer,
  DeadLettersAnswer,
  LettersReport,
  ManyAnswer,
  OpenedLettersAnswer,
  OverviewAnswer,
  PurgedAnswer,
  QueuesAnswer,
  SchedulesAnswer,
  ScheduleView,
  SentAnswer,
  SlotsAnswer,
  TaskAnswer,
  TasksAnswer,
  TreeAnswer,
  WaitingAnswer,
} from '../../lib/monitor/answers.ts';
import { serveMonitor } from '../../lib/monitor/serve.ts';
import { terminalWith } from '../support/celeriac.ts';
import { Monitor } from '../support/monitor.ts';
import { shopApp } from '../support/shop-service.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const shop = shopApp();
let cloud: LocalCloud;
let service: Service;
let monitor: Monitor;

beforeAll(async () => {
  cloud = await LocalCloud.start(shop.app, { logger: { log: () => {} } });
  service = await openService({}, terminalWith({ variables: cloud.variables('local'), clock: systemClock }));
  monitor = new Monitor(monitoredService(service));
});
afterAll(async () => {
  shop.release();
  service.close();
  await cloud.stop();
});

/** What workers do takes its time. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const found = await vi.waitUntil(look, { timeout: PATIENCE_MS, interval: 40 });
  if (found === undefined) throw new Error('it never came');
  return found;
}

async function ended(id: string): Promise<TaskAnswer> {
  return until(async () => {
    const task = await monitor.get<TaskAnswer>(`/api/tasks/${id}`);
    return task.finished !== null && task.story !== null && task.story.attempts.length > 0 ? task : undefined;
  });
}

const call = async (task: string, args: readonly unknown[], more: object = {}): Promise<string> =>
  (await monitor.act<SentAnswer>('/api/tasks', { task, args, ...more })).id;

describe('tasks', () => {
  it('a task is sent, and shown with its state, its attempt and its result', async () => {
    const id = await call('orders.charge', ['ada', 1200]);
    const task = await ended(id);
    expect(task).toMatchObject({
      state: 'SUCCESS',
      name: 'orders.charge',
      queue: 'default',
      resultText: '{"who":"ada","cents":1200}',
      isResultWhole: true,
      error: null,
    });
    const { entries } = await monitor.get<TasksAnswer>('/api/tasks?task=orders.charge&state=SUCCESS&from=1h');
    expect(entries).toContainEqual(expect.objectContaining({ id, state: 'SUCCESS' }));
    expect(await monitor.get<TreeAnswer>(`/api/tasks/${id}/tree`)).toMatchObject({ parent: null, self: { id } });
    expect((await monitor.ask(`/tasks/${id}/status`)).json).toEqual({
      task: { id, status: 'SUCCESS', result: { who: 'ada', cents: 1200 } },
    });
  });

  it('a failure has its error and its stack', async () => {
    const id = await call('orders.fail', []);
    const task = await ended(id);
    expect(task).toMatchObject({
      state: 'FAILURE',
      error: { type: 'TypeError', message: 'total is undefined' },
      resultText: null,
    });
    expect(task.traceback).toContain('shop-service.ts');
    expect((await monitor.ask(`/tasks/${id}/status`)).json).toMatchObject({
      task: { status: 'FAILURE', result: 'TypeError: total is undefined' },
    });
  });

  it('what is not there is pending, and says so', async () => {
    expect(await monitor.get('/api/tasks/nothing')).toMatchObject({ state: 'PENDING', isKnown: false, story: null });
  });

  it('one that waits for its time is listed, and revoked', async () => {
    const id = await call('orders.charge', ['bob', 1], { countdown: 7200 });
    expect((await monitor.get<TaskAnswer>(`/api/tasks/${id}`)).explain).toMatchObject({
      tone: 'quiet',
      text: expect.stringMatching(/is not to start before in 1 h 59 min|in 2 h/),
    });
    const { tasks } = await monitor.get<WaitingAnswer>('/api/tasks/waiting');
    expect(tasks).toContainEqual(expect.objectContaining({ id, name: 'orders.charge' }));
    expect(await monitor.act('/api/tasks/revoke', { ids: [id] })).toEqual({ states: ['REVOKED'] });
    expect(await monitor.get(`/api/tasks/${id}`)).toMatchObject({ state: 'REVOKED' });
  });

  it('pages of the list go on behind one another', async () => {
    const first = await monitor.get<TasksAnswer>('/api/tasks?limit=1');
    const second = await monitor.get<TasksAnswer>(`/api/tasks?limit=1&cursor=${first.cursor ?? ''}`);
    expect(second.entries[0]?.id).not.toBe(first.entries[0]?.id);
  });

  it.each([
    [{ task: 'orders.chrage' }, 404, 'NOT_REGISTERED', "Did you mean 'orders.charge'?"],
    [{ task: 'orders.once' }, 409, 'TASK_IS_MARKED', 'unique, throttled or debounced'],
    [{ task: 'orders.charge', queue: 'mial' }, 404, 'QUEUE_NOT_FOUND', 'mial'],
    [{ task: 'orders.charge', args: {} }, 400, 'INVALID_REQUEST', 'body.args'],
    [{ args: [] }, 400, 'INVALID_REQUEST', 'body.task'],
    [{ task: 'orders.charge', secret: 'x' }, 400, 'INVALID_REQUEST', 'body.secret: is no field here'],
  ])('%j is refused', async (body, status, code, detail) => {
    const answer = await monitor.ask('/api/tasks', { method: 'POST', body });
    expect([answer.status, answer.json['code'], answer.json['detail']]).toEqual([
      status,
      code,
      expect.stringContaining(detail),
    ]);
  });
});

describe('queues', () => {
  it('a queue is paused by whoever is logged in, and resumed', async () => {
    const paused = await monitor.act('/api/queues/mail/pause', { why: 'the relay is down' });
    expect(paused).toMatchObject({ queue: 'mail', by: 'ada', why: 'the relay is down', eventSource: 'none' });
    const { queues } = await monitor.get<QueuesAnswer>('/api/queues');
    expect(queues.find(({ queue }) => queue === 'mail')).toMatchObject({
      state: 'paused',
      paused: { by: 'ada', why: 'the relay is down' },
      tasks: 1,
    });
    const { problems } = await monitor.get<OverviewAnswer>('/api/overview');
    expect(problems).toContainEqual(expect.objectContaining({ kind: 'paused', subject: 'mail' }));
    expect(await monitor.act('/api/queues/mail/resume')).toEqual({ queue: 'mail', wasPaused: true });
    expect(await monitor.act('/api/queues/mail/resume')).toEqual({ queue: 'mail', wasPaused: false });
  });

  it('one that is not there is refused, and the attempt is on the list', async () => {
    const answer = await monitor.ask('/api/queues/mial/pause', { method: 'POST', body: {} });
    expect([answer.status, answer.json['detail']]).toEqual([400, expect.stringContaining("Did you mean 'mail'?")]);
    const { entries } = await monitor.get<AuditAnswer>('/api/audit?limit=1');
    expect(entries).toEqual([
      expect.objectContaining({ action: 'queue.pause', on: ['mial'], by: 'ada', outcome: 'failed' }),
    ]);
  });
});

describe('purge', () => {
  it('counts, asks for the name, and empties the queue', async () => {
    // No worker takes it meanwhile: of a queue that has just been paused one still may.
    await call('mail.block', [], { countdown: 600 });
    const purge = (body: object): Promise<PurgedAnswer> =>
      monitor.act('/api/queues/mail/purge', { name: 'mail', ...body });
    expect(await purge({ dryRun: true })).toEqual({
      queues: [expect.objectContaining({ queue: 'mail', purged: false, delayed: 1 })],
    });
    const wrong = await monitor.ask('/api/queues/mail/purge', { method: 'POST', body: { name: 'mial' } });
    expect([wrong.status, wrong.json['code']]).toEqual([400, 'NAME_DIFFERS']);
    expect(await purge({})).toEqual({ queues: [expect.objectContaining({ purged: true, delayed: 1 })] });
    const { queues } = await monitor.get<QueuesAnswer>('/api/queues');
    expect(queues.find(({ queue }) => queue === 'mail')).toMatchObject({ delayed: 0 });
    const { entries } = await monitor.get<AuditAnswer>('/api/audit?limit=1');
    expect(entries).toMatchObject([{ action: 'queue.purge', on: ['mail'], count: 1, outcome: 'done' }]);
  });
});

describe('dead letters', () => {
  it('are grouped, looked at, counted before they are redriven, redriven and dropped', async () => {
    const ids = [await call('mail.block', []), await call('mail.block', [])];
    const list = await until(async () => {
      const found = await monitor.get<DeadLettersAnswer>('/api/dead-letters?queue=mail');
      return found.letters.length === 2 ? found : undefined;
    });
    expect(list.groups).toMatchObject([{ task: 'mail.block', count: 2, queue: 'mail' }]);
    const fingerprint = list.groups[0]?.fingerprint;
    const { letters } = await monitor.get<OpenedLettersAnswer>(`/api/dead-letters/${ids[0]}?queue=mail`);
    expect(letters).toMatchObject([{ id: ids[0], args: [], kwargs: {} }]);
    const would = await monitor.act<LettersReport>('/api/dead-letters/redrive', { fingerprint, dryRun: true });
    expect(would).toMatchObject({ matched: 2, sent: 2 });
    const redriven = await monitor.act<LettersReport>('/api/dead-letters/redrive', { id: ids[0], rate: '5/s' });
    expect(redriven).toMatchObject({ matched: 1, sent: 1, complete: true });
    const dropped = await monitor.act<LettersReport>('/api/dead-letters/drop', { id: ids[1] });
    expect(dropped).toMatchObject({ dropped: 1 });
    const { entries } = await monitor.get<AuditAnswer>('/api/audit?limit=2');
    expect(entries).toMatchObject([
      { action: 'letters.drop', on: [ids[1]], count: 1, outcome: 'done' },
      { action: 'letters.redrive', on: [ids[0]], count: 1, note: 'at 5/s', outcome: 'done' },
    ]);
  });

  it('a rate that is none is refused with what is allowed', async () => {
    const answer = await monitor.ask('/api/dead-letters/redrive', { method: 'POST', body: { rate: 'often' } });
    expect([answer.status, answer.json['code']]).toEqual([400, 'INVALID_OPTION']);
  });
});

describe('limits', () => {
  it('locks are listed and freed', async () => {
    const lock = await shop.app.locks.acquire('import', { info: 'night shift' });
    const { locks } = await monitor.get<{ locks: readonly object[] }>('/api/locks');
    expect(locks).toMatchObject([{ key: 'import', info: 'night shift', token: lock?.token }]);
    expect(await monitor.act('/api/locks/free', { key: 'import', token: lock?.token })).toMatchObject({
      lock: { key: 'import' },
    });
    expect(await monitor.act('/api/locks/free', { key: 'import' })).toEqual({ lock: null });
  });

  it('slots tell who runs and who waits', async () => {
    const first = await call('orders.ship', ['DE']);
    await shop.shipping;
    const second = await call('orders.ship', ['DE']);
    const slots = await until(async () => {
      const found = await monitor.get<SlotsAnswer>('/api/slots?task=orders.ship&key=DE');
      return found.waiting === 1 ? found : undefined;
    });
    expect(slots).toMatchObject({ limit: 1, active: [{ id: first }], reserved: [{ id: second }] });
  });

  it('a rate limit is changed, of a task that is there', async () => {
    const answer = await monitor.ask('/api/rates', { method: 'POST', body: { task: 'nobody', limit: '5/m' } });
    expect([answer.status, answer.json['code']]).toEqual([404, 'NOT_REGISTERED']);
    expect(await monitor.act('/api/rates', { task: 'orders.charge', limit: '5/m' })).toEqual({
      text: 'new rate limit set successfully',
    });
    const { tasks } = await monitor.get<CatalogueAnswer>('/api/catalogue');
    expect(tasks.find(({ name }) => name === 'orders.charge')).toMatchObject({ queue: 'default', rateLimitNow: '5/m' });
    expect(tasks.find(({ name }) => name === 'orders.once')).toMatchObject({ marked: true });
    await monitor.act('/api/rates', { task: 'orders.charge', limit: null });
  });
});

describe('schedules', () => {
  const nightly = {
    task: 'orders.charge',
    args: ['ada', 5],
    options: { expires: 60, queue: 'mail' },
    schedule: {
      type: 'crontab',
      minute: '0',
      hour: '3',
      dayOfMonth: '*',
      monthOfYear: '*',
      dayOfWeek: '*',
      timezone: 'Europe/Berlin',
      dst: 'shift',
    },
    description: 'before the shop opens',
  };
  const path = '/api/schedules/nightly';

  it('an entry is tried, stored, read, and stored again as it was read', async () => {
    const tried = await monitor.act<ScheduleView>('/api/schedules/check', { name: 'nightly', ...nightly });
    expect(tried.nextTicks).toHaveLength(5);
    expect((await monitor.ask(path)).status).toBe(404);
    const stored = await monitor.act<ScheduleView>(path, { ...nightly, createOnly: true }, 'PUT');
    expect(stored).toMatchObject({ ...nightly, source: 'stored', firedBy: 'sweep', enabled: true, totalRunCount: 0 });
    expect(stored.nextTicks).toEqual(tried.nextTicks);
    const read = await monitor.get<ScheduleView>(path);
    const fields = Object.keys({
      ...nightly,
      enabled: 0,
      oneOff: 0,
      startTime: 0,
      expires: 0,
      catchUp: 0,
      startingDeadline: 0,
    });
    const same = Object.fromEntries(Object.entries(read).filter(([name]) => fields.includes(name)));
    const again = await monitor.act<ScheduleView>(path, { ...same, version: read.version }, 'PUT');
    expect(again).toEqual({ ...read, version: read.version + 1, changedAt: again.changedAt });
  });

  it('the second of two editors is told', async () => {
    const { version } = await monitor.get<ScheduleView>(path);
    await monitor.act(`${path}/disable`, { version });
    const second = await monitor.ask(path, { method: 'PUT', body: { ...nightly, version } });
    expect([second.status, second.json['code']]).toEqual([409, 'SCHEDULE_CONFLICT']);
    expect(await monitor.act(`${path}/enable`)).toMatchObject({ enabled: true });
  });

  it('it runs now, with its own arguments or others', async () => {
    const own = await ended((await monitor.act<SentAnswer>(`${path}/run`)).id);
    expect(own).toMatchObject({ state: 'SUCCESS', queue: 'mail', resultText: '{"who":"ada","cents":5}' });
    const other = await ended((await monitor.act<SentAnswer>(`${path}/run`, { args: ['bob', 7] })).id);
    expect(other.resultText).toBe('{"who":"bob","cents":7}');
  });

  it('entries are searched, counted and sorted; many are changed at once, each with its own end', async () => {
    await monitor.act('/api/schedules/often', { task: 'orders.fail', schedule: '5m' }, 'PUT');
    const { results } = await monitor.act<ManyAnswer>('/api/schedules/many', {
      names: ['nightly', 'gone'],
      what: 'disable',
    });
    expect(results).toEqual([
      { name: 'nightly', ok: true, error: null },
      { name: 'gone', ok: false, error: expect.stringContaining("no schedule entry 'gone'") },
    ]);
    const all = await monitor.get<SchedulesAnswer>('/api/schedules?sort=next&limit=1');
    expect(all).toMatchObject({ entries: [{ name: 'often' }], totals: { all: 2, enabled: 1, disabled: 1 }, next: 1 });
    const found = await monitor.get<SchedulesAnswer>('/api/schedules?search=SHOP%20opens&state=disabled');
    expect(found.entries.map(({ name }) => name)).toEqual(['nightly']);
    await monitor.act(path, {}, 'DELETE');
    expect((await monitor.ask(path)).status).toBe(404);
  });

  it.each([
    [{ ...nightly, task: 'orders.chrage' }, 404, "Did you mean 'orders.charge'?"],
    [{ ...nightly, schedule: { ...nightly.schedule, hour: '25' } }, 400, '25'],
    [{ ...nightly, schedule: 'now and then' }, 400, 'now and then'],
    [{ ...nightly, options: { queue: 'mial' } }, 404, 'mial'],
  ])('%j is refused', async (entry, status, detail) => {
    const answer = await monitor.ask('/api/schedules/check', { method: 'POST', body: { name: 'x', ...entry } });
    expect([answer.status, answer.json['detail']]).toEqual([status, expect.stringContaining(detail)]);
  });
});

describe('the whole', () => {
  it.each(['1h', '6h', '1d', '7d'])('the overview of %s counts what ended', async (range) => {
    const overview = await monitor.get<OverviewAnswer>(`/api/overview?range=${range}`);
    expect(overview.total.count).toBeGreaterThanOrEqual(4);
    expect(overview.tasks.map(({ task }) => task)).toContain('orders.fail');
    expect(overview.tasks[0]?.states).not.toHaveProperty('SUCCESS');
  });

  it('numbers are told to Prometheus', async () => {
    const { status, headers, text } = await monitor.ask('/metrics');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(text).toMatch(/^celeriac_queue_ready\{queue="mail"\} \d+$/m);
    expect(text).toMatch(/^celeriac_lost_runs\{task="orders.charge"\} 0$/m);
    expect(text).toMatch(/^celeriac_attempts_ended\{task="orders.charge",state="SUCCESS"\} \d+$/m);
  });

  it('whoever asks is told who they are', async () => {
    expect(await monitor.get('/api/session')).toMatchObject({
      app: 'shop',
      user: { name: 'ada', role: 'operator' },
      login: ['token'],
      live: 'stream',
    });
  });

  it('news come as they happen', async () => {
    const server = await serveMonitor({ service: monitoredService(service), port: 0, user: 'ada' });
    try {
      const gone = new AbortController();
      const headers = { authorization: `Bearer ${server.token}` };
      const response = await fetch(`${server.url}/api/live`, { headers, signal: gone.signal });
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      let text = '';
      const reading = (async () => {
        const decoder = new TextDecoder();
        for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array);
      })().catch(() => undefined);
      await until(async () => text.includes('event: queues') || undefined);
      const id = await call('orders.charge', ['live', 1]);
      await until(async () => (text.includes('event: tasks') && text.includes(id)) || undefined);
      gone.abort();
      await reading;
      // A name that somebody else has pointed at this machine; fetch would not send it.
      const strange = await new Promise<number | undefined>((resolve) => {
        get(`${server.url}/api/tasks`, { headers: { ...headers, host: 'evil.test' } }, (answer) =>
          resolve(answer.statusCode),
        );
      });
      expect(strange).toBe(421);
    } finally {
      await server.stop();
    }
  });

  it('an answer that has not changed is not sent again', async () => {
    const { headers } = await monitor.ask('/api/catalogue');
    const again = await monitor.ask('/api/catalogue', { headers: { 'if-none-match': headers.get('etag') ?? '' } });
    expect([again.status, again.text]).toEqual([304, '']);
  });
});
