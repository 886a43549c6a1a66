/** Mails about failures and spans of tasks whose arguments, results and errors are encrypted. */
import { Celeriac, crontab, type Logger } from 'celeriac';
import { aesGcm } from 'celeriac/codec';
import { openTelemetry } from 'celeriac/opentelemetry';
import { World } from 'celeriac/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { type Spans, startSpans } from '../support/spans.ts';

const SECRET = 'hunter2-Zq';

let spans: Spans;
beforeAll(() => void (spans = startSpans()));
afterAll(() => spans.stop());
beforeEach(() => spans.exporter.reset());

/** What is told of a task that fails, retried before: mails, spans, log lines. */
async function told(codec?: ReturnType<typeof aesGcm>) {
  const lines: string[] = [];
  const logger: Logger = { log: (...line) => void lines.push(JSON.stringify(line)) };
  const app = new Celeriac('vault', { telemetry: openTelemetry(), ...(codec === undefined ? {} : { codec }) });
  const fail = app.task('fail', { bind: true, maxRetries: 1 }, (self, card: string) => {
    throw self.retry({ countdown: 1, exc: new RangeError(`no ${card}`) });
  });
  const world = new World(app, { logger, notify: { window: '15m' } });
  await fail.delay(SECRET);
  await world.advance('1h');
  const shown = spans.all().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
  return { mails: JSON.stringify(world.mails), spans: JSON.stringify(shown), lines: lines.join('\n') };
}

it('tell nothing of them', async () => {
  const all = await told(aesGcm({ keys: () => `k:${Buffer.alloc(32, 1).toString('base64')}` }));
  for (const [what, text] of Object.entries(all)) expect(text, what).not.toContain(SECRET);
  expect(all.mails).toContain('RangeError');
  expect(all.spans).toContain('process');
});

it('and without a codec mails would: the search finds what is there', async () => {
  expect((await told()).mails).toContain(SECRET);
});

it('an entry with arguments is fired by the sweep, since a rule would hold them as they are; one without by a rule', () => {
  const app = new Celeriac('vault', { codec: aesGcm({ keys: () => `k:${Buffer.alloc(32, 1).toString('base64')}` }) });
  const note = app.task('note', (..._cards: string[]) => {});
  const daily = crontab({ minute: 0, hour: 4 });
  app.beat({
    plain: { task: note.s(), schedule: daily },
    args: { task: note.s(SECRET), schedule: daily },
    linked: { task: note.s(), schedule: daily, options: { link: note.si(SECRET) } },
  });
  const { beat } = app.manifest();
  expect(Object.fromEntries(beat.map(({ name, firedBy }) => [name, firedBy]))).toEqual({
    plain: 'rule',
    args: 'sweep',
    linked: 'sweep',
  });
});
