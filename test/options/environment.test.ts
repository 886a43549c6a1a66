/** What a process is told of services, in either form, and what it answers when it is told nothing, or of others. */
import { Celeriac, currentApp } from 'celeriac';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { setCurrentApp } from '../../lib/app/app.ts';
import { MissingEnvironment } from '../../lib/base/errors.ts';
import { packTaskNames } from '../../lib/base/task-names.ts';
import { readEnvironment, readTaskNames } from '../../lib/options/environment.ts';
import { type Environment, ENVIRONMENT } from '../../lib/options/manifest.ts';
import { compactFields, serviceVariable } from '../../lib/options/service-variable.ts';

afterEach(() => {
  setCurrentApp(undefined);
  vi.unstubAllEnvs();
});

const SHOP = {
  app: 'shop',
  queues: { default: 'https://sqs/1/shop-default', mail: 'https://sqs/1/shop-mail' },
  resultsTable: 'shop-results',
  stateTable: 'shop-state',
};
const BLOG = { ...SHOP, app: 'blog', queues: { posts: 'https://sqs/1/posts.fifo' }, resultsTable: 'blog-results' };

function variable(fields: { readonly app: string }): Record<string, string> {
  return { [serviceVariable(fields.app)]: JSON.stringify(fields) };
}

const PLAIN = {
  CELERIAC_QUEUES: '{"default":"https://sqs/1/plain"}',
  CELERIAC_RESULTS_TABLE: 'plain-results',
  CELERIAC_STATE_TABLE: 'plain-state',
};

function message(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(MissingEnvironment);
    return (error as Error).message;
  }
  throw new Error('It was read.');
}

describe('two services in one environment', () => {
  const both = { ...variable(SHOP), ...variable(BLOG) };

  it('each app reads its own', () => {
    expect(readEnvironment('shop', both)).toMatchObject({ app: 'shop', resultsTable: 'shop-results' });
    expect(readEnvironment('blog', both)).toMatchObject({ app: 'blog', resultsTable: 'blog-results' });
    expect(readEnvironment('blog', { ...both, ...PLAIN, CELERIAC_APP: 'blog' }).resultsTable).toBe('blog-results');
  });

  it('what is left out has its default', () => {
    expect(readEnvironment('blog', both)).toEqual({
      ...BLOG,
      deadLetterQueues: {},
      timerShards: 8,
      taskQueues: {},
      externalQueues: [],
      defaultQueue: 'posts',
    });
  });

  it('another app is told which there are, and what to do', () => {
    expect(message(() => readEnvironment('crm', both))).toBe(
      "The environment variable CELERIAC_SERVICE_CRM is missing. The environment tells of: 'blog' (CELERIAC_SERVICE_BLOG), 'shop' (CELERIAC_SERVICE_SHOP). Call grantEnqueue(fn) of the service whose app is 'crm', or make the app with one of those names.",
    );
  });

  it('nobody is the only one', () => {
    expect(message(() => readEnvironment(undefined, both))).toBe(
      "The environment tells of several services: 'blog' (CELERIAC_SERVICE_BLOG), 'shop' (CELERIAC_SERVICE_SHOP). Say which: Celeriac.fromEnvironment('blog').send(...), or make the app with its name.",
    );
    expect(readEnvironment(undefined, variable(SHOP)).app).toBe('shop');
    expect(readEnvironment(undefined, { ...variable(SHOP), ...PLAIN, CELERIAC_APP: 'shop' }).resultsTable).toBe(
      'shop-results',
    );
    expect(message(() => readEnvironment(undefined, { ...variable(SHOP), ...PLAIN }))).toContain(
      "'shop' (CELERIAC_SERVICE_SHOP), an app without a name (CELERIAC_QUEUES)",
    );
  });

  it('apps without task code are made of it, and know names, queues and routes of their own', () => {
    const told = { ...SHOP, taskQueues: { 'mail.send': 'mail' }, tasks: packTaskNames(['mail.send']) };
    for (const [name, value] of Object.entries({ ...both, ...variable(told) })) vi.stubEnv(name, value);
    const shop = Celeriac.fromEnvironment('shop');
    const blog = Celeriac.fromEnvironment('blog');
    expect(shop.settings).toMatchObject({ name: 'shop', routes: { 'mail.send': 'mail' } });
    expect(blog.settings.queues).toMatchObject({ posts: { fifo: true } });
    expect([shop.taskNames(), blog.taskNames()]).toEqual([new Set(['mail.send']), undefined]);
    setCurrentApp(undefined);
    expect(() => currentApp()).toThrow('several services');
  });
});

describe('the plain variables', () => {
  it('belong to the app that they name, or to any', () => {
    expect(readEnvironment('shop', PLAIN)).toMatchObject({ app: 'shop', stateTable: 'plain-state' });
    expect(readEnvironment(undefined, PLAIN).app).toBe('celeriac');
    expect(readEnvironment('shop', { ...PLAIN, CELERIAC_APP: 'shop' }).app).toBe('shop');
    expect(message(() => readEnvironment('shop', { ...PLAIN, CELERIAC_APP: 'blog' }))).toContain(
      "The environment tells of: 'blog' (CELERIAC_QUEUES).",
    );
  });

  it.each([
    [{}, /^The environment variable CELERIAC_SERVICE_SHOP is missing, so there is no queue to send to\. In a deployed/],
    [
      { ...PLAIN, CELERIAC_STATE_TABLE: '' },
      /^The environment variable CELERIAC_STATE_TABLE is missing\. In a deployed/,
    ],
    [
      { ...PLAIN, CELERIAC_QUEUES: 'url' },
      /^The environment variable CELERIAC_QUEUES is not a JSON object of strings\./,
    ],
    [{ ...PLAIN, CELERIAC_TASK_QUEUES: '{"a":1}' }, /^The environment variable CELERIAC_TASK_QUEUES is not a JSON/],
    [{ CELERIAC_SERVICE_SHOP: '{"app":' }, /^The environment variable CELERIAC_SERVICE_SHOP is not a JSON object\./],
    [{ CELERIAC_SERVICE_SHOP: '["shop"]' }, /^The environment variable CELERIAC_SERVICE_SHOP is not a JSON object\./],
    [
      variable({ ...SHOP, stateTable: 7 } as never),
      /^'stateTable' in the environment variable CELERIAC_SERVICE_SHOP is no text\./,
    ],
    [
      variable({ ...SHOP, queues: { default: 1 } } as never),
      /^'queues' in the environment variable CELERIAC_SERVICE_SHOP is not a JSON object of strings/,
    ],
  ] as [Record<string, string>, RegExp][])('%j is refused by what is wrong with it', (source, text) => {
    expect(message(() => readEnvironment('shop', source))).toMatch(text);
  });

  it('a value is never shown: it may hold account ids', () => {
    expect(message(() => readEnvironment('shop', { ...PLAIN, CELERIAC_QUEUES: 'secret' }))).not.toContain('secret');
    expect(message(() => readEnvironment('shop', { CELERIAC_SERVICE_SHOP: 'secret' }))).not.toContain('secret');
  });
});

describe('names of tasks', () => {
  const packed = packTaskNames(['a', 'b']);
  it.each([
    [variable({ ...SHOP, tasks: packed } as never), ['a', 'b']],
    [variable(SHOP), 'unknown'],
    [{ CELERIAC_SERVICE_SHOP: 'no JSON' }, 'unknown'],
    [{ ...PLAIN, CELERIAC_TASKS: packed }, ['a', 'b']],
    [variable({ ...BLOG, tasks: packed } as never), undefined],
    [{}, undefined],
  ] as [Record<string, string>, unknown][])('%#', (source, names) => {
    expect(readTaskNames('shop', source)).toEqual(names);
  });
});

const APP = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/);
const TEXT = fc.stringMatching(/^[\w:/.-]{1,30}$/);
const MAP = fc.dictionary(fc.stringMatching(/^[a-z][\w.-]{0,9}$/), TEXT, { maxKeys: 5 });
const SERVICE: fc.Arbitrary<Environment> = fc.record({
  app: APP,
  queues: MAP,
  deadLetterQueues: MAP,
  resultsTable: TEXT,
  stateTable: TEXT,
  timerShards: fc.integer({ min: 1, max: 64 }),
  taskQueues: MAP,
  externalQueues: fc.uniqueArray(fc.stringMatching(/^[\w.-]{1,9}$/), { maxLength: 3 }),
  defaultQueue: TEXT,
  wakeQueue: TEXT,
  rulePrefix: TEXT,
});

describe('any services', () => {
  it('are read as they were written, each by its own app, among all others', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(SERVICE, { minLength: 1, maxLength: 4, selector: ({ app }) => serviceVariable(app) }),
        (services) => {
          const source = Object.assign({}, ...services.map((service) => variable(compactFields(service) as never)));
          for (const service of services) expect(readEnvironment(service.app, source)).toEqual(service);
        },
      ),
    );
  });

  it('the plain form of a service says the same', () => {
    fc.assert(
      fc.property(SERVICE, (service) => {
        const source = Object.fromEntries(
          Object.entries(service).map(([field, value]) => [
            ENVIRONMENT[field as keyof typeof ENVIRONMENT],
            Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value),
          ]),
        );
        expect(readEnvironment(service.app, source)).toEqual(service);
      }),
    );
  });

  it('a variable has a name that Lambda takes', () => {
    fc.assert(fc.property(APP, (app) => /^[a-zA-Z]([a-zA-Z0-9_])+$/.test(serviceVariable(app))));
    for (const plain of Object.values(ENVIRONMENT)) expect(plain).not.toMatch(/^CELERIAC_SERVICE_/);
  });
});
