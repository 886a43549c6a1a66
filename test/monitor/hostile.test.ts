/** What tasks, senders and callers write is hostile text: an answer stays JSON of a bounded size, a metric stays one line, a log line one object. */
import { Celeriac } from 'celeriac';
import { beforeAll, describe, expect, it } from 'vitest';

import type { DeadLettersAnswer, TaskAnswer, TasksAnswer } from '../../lib/monitor/answers.ts';
import { monitorOfShop, type MonitoredShop } from '../support/monitored-shop.ts';

const MARKUP = `<img src=x onerror=alert(1)></script><script>alert('x')</script>{{7*7}}`;
const BIDI = '\u202Egnp.exe\u202C \u2066x\u2069 \u200F';
const CONTROLS = '\u0000\u0007\u001B[31mred\u001B[0m\r\nSet-Cookie: a=b\r\n\u2028\u2029\uD800';
const HUGE = 'A'.repeat(1_000_000);
const TEXTS: Readonly<Record<string, string>> = { MARKUP, BIDI, CONTROLS, HUGE };
const MOST_BYTES = 64 * 1024;
const NAME = 'a"b\\c<i>\u202E\n# HELP x';

/** Control characters, and halves of characters. */
function hasLooseCharacters(text: string): boolean {
  return !text.isWellFormed() || Array.from(text).some((character) => character < ' ');
}

describe.each(Object.entries(TEXTS))('%s', (kind, hostile) => {
  let shop: MonitoredShop;
  let id = '';
  beforeAll(async () => {
    const app = new Celeriac('shop', { queues: { default: {}, mail: {} } });
    app.task('orders.charge', (_text: string) => {
      const error = new Error(hostile);
      error.name = hostile.slice(0, 100);
      throw error;
    });
    app.task('orders.echo', (text: string) => ({ [text.slice(0, 50)]: text }));
    shop = monitorOfShop({}, app);
    // More than a message may have is refused when it is sent.
    const given = hostile.slice(0, 200_000);
    const failing = await app.send('orders.charge', [given], { headers: { 'x-note': given.slice(0, 1000) } });
    await app.send('orders.echo', [given]);
    await shop.world.advance('3m');
    id = failing.id;
  });

  it.each([
    '/api/overview',
    '/api/tasks',
    '/api/tasks/ID',
    '/api/tasks/ID/explain',
    '/api/tasks/ID/tree',
    '/tasks/ID/status',
    '/api/audit',
  ])('%s is JSON of a bounded size, and nothing else', async (path) => {
    const { status, headers, text, json } = await shop.monitor.ask(path.replace('ID', id));
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('set-cookie')).toBeNull();
    expect(Buffer.byteLength(text)).toBeLessThan(MOST_BYTES);
    // No character leaves the text that it is in.
    expect(hasLooseCharacters(text)).toBe(false);
    expect(Object.getPrototypeOf(json)).toBe(Object.prototype);
  });

  it('comes back as it is, or cut', async () => {
    const { error } = await shop.monitor.get<TaskAnswer>(`/api/tasks/${id}`);
    expect(kind === 'HUGE' ? error?.message.slice(0, 100) : error?.message.replace('\uFFFD', '\uD800')).toBe(
      kind === 'HUGE' ? HUGE.slice(0, 100) : hostile,
    );
    const { entries } = await shop.monitor.get<TasksAnswer>('/api/tasks?state=FAILURE');
    expect(entries[0]?.error?.length).toBeLessThan(2000);
    expect(entries[0]?.repr?.length ?? 0).toBeLessThan(2000);
  });

  it('in what is asked is refused, or finds nothing; it is not written into headers, and not answered in full', async () => {
    const said = encodeURIComponent(hostile.slice(0, 8000).toWellFormed());
    for (const path of [
      `/api/tasks?text=${said}`,
      `/api/tasks?task=${said}&cursor=${said}`,
      `/api/tasks/${said}`,
      `/api/schedules/${said}`,
      `/api/schedules?search=${said}`,
      `/api/dead-letters/${said}`,
      `/api/slots?task=${said}`,
      `/tasks/${said}/status`,
      `/api/schedules/${said}/runs`,
      `/api/tasks/${said}/explain`,
      `/api/${said}`,
      `/${said}`,
    ]) {
      const { status, headers, text } = await shop.monitor.ask(path);
      expect(status, path.slice(0, 60)).toBeLessThan(500);
      expect([...headers.values()].join('\n')).not.toContain('alert(');
      expect(headers.get('content-type')).toMatch(/^application\/(?:problem\+)?json; charset=utf-8$/);
      expect(text.length).toBeLessThan(12_000);
    }
  });

  it('in what is done is refused, and in the audit list it is cut', async () => {
    const said = hostile.slice(0, 8000);
    for (const [path, body] of [
      ['/api/tasks', { task: said, args: [] }],
      ['/api/queues/mail/pause', { why: said }],
      ['/api/queues/mail/purge', { name: said }],
      ['/api/rates', { task: 'orders.echo', limit: said }],
      ['/api/locks/free', { key: said }],
      ['/api/tasks/revoke', { ids: [said] }],
    ] as const) {
      const { status, headers, text } = await shop.monitor.ask(path, { method: 'POST', body });
      expect(status, path).toBeLessThan(500);
      expect(headers.get('content-type')).toMatch(/json; charset=utf-8$/);
      expect(text.length).toBeLessThan(12_000);
    }
    const { text } = await shop.monitor.ask('/api/audit');
    expect(text.length).toBeLessThan(MOST_BYTES);
  });
});

it('names of tasks that somebody has made up are one line of metrics each', async () => {
  const counts = {
    count: 1,
    states: { SUCCESS: 1 },
    lostRuns: 2,
    waitSeconds: null,
    runSeconds: { p50: 1, p95: 2, p99: 3 },
  };
  const stats = { tasks: [{ task: NAME, ...counts }] };
  const { monitor, service } = monitorOfShop();
  Object.defineProperty(service.app, 'stats', { value: async () => stats });
  const { text, headers } = await monitor.ask('/metrics');
  expect([headers.get('content-type'), headers.get('x-content-type-options')]).toEqual([
    'text/plain; version=0.0.4; charset=utf-8',
    'nosniff',
  ]);
  const lines = text.trimEnd().split('\n');
  const sample = /^[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\} [\d.e+-]+$/;
  expect(lines.filter((line) => !line.startsWith('# ') && !sample.test(line))).toEqual([]);
  expect(lines.filter((line) => line.startsWith('# HELP x'))).toEqual([]);
  expect(text).toContain(String.raw`celeriac_attempts_ended{task="a\"b\\c<i>${'\u202E'}\n# HELP x",state="SUCCESS"} 1`);
});

it('dead letters tell of it, cut', async () => {
  const app = new Celeriac('shop', { queues: { default: {}, mail: {} }, routes: { 'mail.*': 'mail' } });
  const { Reject } = await import('celeriac');
  app.task('mail.block', () => {
    throw new Reject(`${MARKUP}${BIDI}${CONTROLS}${HUGE}`);
  });
  const { monitor, world } = monitorOfShop({}, app);
  const { id } = await app.send('mail.block', [`${MARKUP}${BIDI}`]);
  await world.advance('1m');
  const { letters } = await monitor.get<DeadLettersAnswer>('/api/dead-letters');
  expect(letters.map((letter) => letter.id)).toEqual([id]);
  const { text } = await monitor.ask(`/api/dead-letters/${id}`);
  expect(text.length).toBeLessThan(MOST_BYTES);
  expect(hasLooseCharacters(text)).toBe(false);
});

it('an error that nobody foresaw is one line of the log, without what was asked', async () => {
  const lines: unknown[][] = [];
  const { monitor, service } = monitorOfShop((given) => ({
    service: {
      ...given,
      app: Object.create(given.app, {
        logger: { value: { log: (...line: unknown[]) => lines.push(line) } },
      }) as typeof given.app,
      depths: { ...given.depths, count: () => Promise.reject(new Error(`${CONTROLS}${MARKUP}`)) },
    },
  }));
  expect(service.showValues).toBe(false);
  const { status, text } = await monitor.ask(`/api/queues?x=${encodeURIComponent('SECRET')}`);
  expect([status, text.includes('script'), text.includes('SECRET')]).toEqual([500, false, false]);
  expect(lines).toHaveLength(1);
  expect(JSON.stringify(lines)).not.toContain('SECRET');
});
