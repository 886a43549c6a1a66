/** The table of settings, and what becomes of them, beside the real Celery. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Celeriac, settingsFromCelery } from 'celeriac';
import { beforeAll, describe, expect, it } from 'vitest';

import { CELERY_SETTINGS, findSetting } from '../../lib/options/celery/table.ts';
import { resolveRoute } from '../../lib/options/routes.ts';
import { reasonToSkip } from '../support/python.ts';
import { celeryVersion } from './rig.ts';

const python = process.env['CELERIAC_PYTHON'] ?? '';
const reason = reasonToSkip('settings of Celery');

interface Celery {
  readonly version: string;
  readonly settings: readonly { readonly name: string; readonly old: string; readonly default: unknown }[];
  readonly toNew: Readonly<Record<string, string>>;
  readonly everything: Readonly<Record<string, unknown>>;
  readonly answers: readonly Readonly<Record<string, unknown>>[];
}

const NAMES = ['feed.now', 'feed.later', 'web.fetch', 'web.fetch.all', 'video', 'other'];
const ROUTES: readonly unknown[] = [
  { 'feed.*': { queue: 'feeds' }, 'feed.now': 'now', '*.fetch': { queue: 'web', priority: 3 } },
  [
    [
      ['feed.*', { queue: 'feeds' }],
      ['feed.now', 'now'],
      ['*', 'rest'],
    ],
  ],
  [{ video: 'media' }, { 'web.*': 'web', video: 'late' }],
  [[['web.fetch', 'web']], { '*.fetch*': 'all' }],
  {},
];
const CONFIGS: readonly { readonly config: Readonly<Record<string, unknown>>; readonly namespace?: string }[] = [
  { config: { task_default_queue: 'q', timezone: 'Asia/Tokyo', result_expires: 60 } },
  { config: { CELERY_DEFAULT_QUEUE: 'q', CELERY_TIMEZONE: 'Asia/Tokyo', CELERY_TASK_RESULT_EXPIRES: 60 } },
  { config: { CELERY_DEFAULT_QUEUE: 'q', TIME_ZONE: 'Asia/Tokyo', CELERY_TASK_RESULT_EXPIRES: 60 } },
  {
    config: { CELERY_TASK_DEFAULT_QUEUE: 'q', TIME_ZONE: 'Asia/Tokyo', CELERY_RESULT_EXPIRES: 60, DEBUG: true },
    namespace: 'CELERY',
  },
  {
    config: {
      CELERY_TASK_DEFAULT_QUEUE: 'q',
      TIME_ZONE: 'UTC',
      CELERY_TIMEZONE: 'Asia/Tokyo',
      CELERY_RESULT_EXPIRES: 60,
    },
    namespace: 'CELERY',
  },
];

/** Options of settings that have to be taken without a warning. */
function quietly(settings: Readonly<Record<string, unknown>>): Celeriac {
  const warnings: string[] = [];
  const app = new Celeriac('proj', settingsFromCelery(settings, { warn: (message) => void warnings.push(message) }));
  expect(warnings).toEqual([]);
  return app;
}

describe.skipIf(reason !== undefined)('Celery itself', () => {
  let celery: Celery;

  beforeAll(() => {
    const script = fileURLToPath(new URL('celery_settings.py', import.meta.url));
    const cases = [...ROUTES.map((routes) => ({ routes, names: NAMES })), ...CONFIGS];
    const printed = execFileSync(python, [script], { encoding: 'utf8', input: JSON.stringify(cases) });
    celery = JSON.parse(printed, (_, value: unknown) => (value === 'Infinity' ? Infinity : value)) as Celery;
  });

  it('has no setting that the table does not know, by its new name and by its old one', () => {
    const wrong = [
      ...celery.settings.filter(({ name }) => findSetting(name)?.name !== name).map(({ name }) => name),
      ...Object.entries(celery.toNew)
        .filter(([old, name]) => findSetting(old)?.name !== name)
        .map(String),
      ...celery.settings.filter(({ name, old }) => findSetting(name)?.old !== old).map(({ old }) => old),
    ];
    expect(wrong).toEqual([]);
    expect(celery.settings.length).toBeGreaterThan(150);
  });

  it('has every setting of the table that has an old name and is not retired', () => {
    // An older Celery than the one of requirements.txt has fewer.
    const pinned = /^celery==(.*)$/m.exec(readFileSync('test/interop/requirements.txt', 'utf8'))?.[1];
    if (celery.version !== pinned) return;
    const theirs = new Set(celery.settings.map(({ name }) => name));
    const ours = CELERY_SETTINGS.filter(({ old, retired }) => old !== null && retired !== true);
    expect(ours.filter(({ name }) => !theirs.has(name)).map(({ name }) => name)).toEqual([]);
    expect(ours).toHaveLength(theirs.size);
  });

  // Of the version that the table is made from.
  it.skipIf(celeryVersion() < 5.6)('has the defaults of the table', () => {
    for (const { name, default: byDefault } of celery.settings)
      expect(findSetting(name)?.byDefault, name).toEqual(byDefault);
  });

  it("with every default written out asks for Celery's, and nothing is told of", () => {
    expect(Object.keys(celery.everything).length).toBeGreaterThan(150);
    expect(quietly(celery.everything).settings).toMatchObject({
      defaultQueue: 'celery',
      resultExpiresSeconds: 86_400,
      acksLate: false,
      storeErrorsEvenIfIgnored: false,
      retryPolicy: { maxRetries: 3, intervalStart: 0, intervalStep: 0.2, intervalMax: 1 },
    });
  });

  it('routes to the same queues', () => {
    for (const [index, routes] of ROUTES.entries()) {
      const { settings } = quietly({ task_routes: routes, task_default_queue: 'celery' });
      const queueOf = (name: string): string =>
        resolveRoute(settings.routes, name, [], {}).queue ?? settings.defaultQueue;
      expect(Object.fromEntries(NAMES.map((name) => [name, queueOf(name)]))).toEqual(celery.answers[index]);
    }
  });

  it('reads the same values under names of every kind', () => {
    for (const [index, { config }] of CONFIGS.entries()) {
      const { timezone, defaultQueue, resultExpiresSeconds } = quietly(config).settings;
      expect({ timezone, task_default_queue: defaultQueue, result_expires: resultExpiresSeconds }).toEqual(
        celery.answers[ROUTES.length + index],
      );
    }
  });

  it('is written out by what docs/celery-settings.md shows', () => {
    const dump = /```python\n(# dump\.py\n[\s\S]*?)```/.exec(readFileSync('docs/celery-settings.md', 'utf8'))?.[1];
    const folder = mkdtempSync(join(tmpdir(), 'celeriac-settings-'));
    try {
      mkdirSync(join(folder, 'proj'));
      writeFileSync(join(folder, 'dump.py'), dump ?? '');
      writeFileSync(join(folder, 'proj', 'celery.py'), PROJECT);
      writeFileSync(join(folder, 'proj', 'settings.py'), SETTINGS);
      const printed = execFileSync(python, ['dump.py'], { cwd: folder, encoding: 'utf8' });
      const warnings: string[] = [];
      const options = settingsFromCelery(JSON.parse(printed) as Record<string, unknown>, {
        warn: (_, setting) => void warnings.push(setting),
      });
      expect(options).toEqual({
        timezone: 'Europe/Berlin',
        resultExpires: 10_800,
        queues: { work: {}, 'orders.fifo': { fifo: true }, api: {} },
        defaultQueue: 'work',
        routes: { 'api.*': { queue: 'api' } },
      });
      expect(warnings).toEqual(['CELERY_BROKER_URL']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

const PROJECT = `
from celery import Celery

app = Celery('proj')
app.config_from_object('proj.settings', namespace='CELERY')
`;
const SETTINGS = `
import os
from datetime import timedelta
from kombu import Exchange, Queue

DEBUG = True
TIME_ZONE = 'Europe/Berlin'
CELERY_BROKER_URL = 'sqs://'
CELERY_ACCEPT_CONTENT = {'json'}
CELERY_RESULT_EXPIRES = timedelta(hours=3)
CELERY_TASK_DEFAULT_QUEUE = 'work'
CELERY_TASK_QUEUES = (Queue('work', Exchange('work'), routing_key='work'), Queue('orders.fifo'))
CELERY_TASK_ROUTES = ([('api.*', {'queue': 'api'})],)
`;
