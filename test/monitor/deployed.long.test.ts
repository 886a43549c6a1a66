/**
 * The deployed monitor as Lambda calls it: requests of its address, a login, the page and every route, under the very role
 * that the stack gives it. It may do what it does, and no more: each right that is taken away is missed.
 */
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { crontab, every, Reject } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { handle } from 'hono/aws-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { hashPassword } from '../../lib/monitor/login/password-hash.ts';
import type { PageFiles } from '../../lib/monitor/page-files.ts';
import { localRulePrefix } from '../../lib/local/rules-server.ts';
import { ROUTES } from '../../lib/monitor/routes.ts';
import { DEPLOYED_VERSION } from '../../lib/options/deployed-service.ts';
import { MONITOR_VARIABLE, type MonitorTold } from '../../lib/options/monitor-variable.ts';
import { ACCOUNT, REGION } from '../support/iam/asked.ts';
import { startCloud } from '../support/iam/cloud.ts';
import { type Granted, grantedBy, missedWithout, unusedOf } from '../support/iam/gate.ts';
import { EVERY_GRANT, rolesOf, type ServiceRoles } from '../support/iam/roles.ts';
import { nameOf } from '../support/monitor.ts';
import { shopApp } from '../support/shop-service.ts';
import { startToolServices, type ToolServices } from '../support/tool-services.ts';
import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';

const HOST = 'abc123.lambda-url.us-east-1.on.aws';
const MONITOR = 'monitor';
const USERS = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:users-AbCdEf`;
// Granted, though no request of the monitor shows it.
const JUSTIFIED: readonly (readonly [RegExp, string])[] = [
  [/^logs:(?:CreateLogStream|PutLogEvents) /, "Lambda writes the function's log with it"],
  [/^secretsmanager:DescribeSecret /, 'it comes with CDK’s right to read a secret'],
  [/^dynamodb:DeleteItem shop-results /, 'the end of a task that has expired is deleted before another one is written'],
  [/^dynamodb:GetItem shop-state paused$/, 'a note that somebody else has changed meanwhile is read'],
];

const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);
const PAGE: PageFiles = new Map([
  ['/index.html', { body: text('<!doctype html>'), contentType: 'text/html; charset=utf-8', isImmutable: false }],
  ['/assets/a1.js', { body: text('1;'), contentType: 'text/javascript; charset=utf-8', isImmutable: true }],
]);

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

/** One browser. */
class Visitor {
  readonly #handler: (event: never, context: never) => Promise<unknown>;
  readonly #cookies = new Map<string, string>();
  csrf = '';

  constructor(handler: (event: never, context: never) => Promise<unknown>) {
    this.#handler = handler;
  }

  async ask(method: string, path: string, body?: unknown): Promise<Answered> {
    const [rawPath = '', rawQueryString = ''] = path.split('?');
    const event: Partial<LambdaFunctionURLEvent> = {
      version: '2.0',
      routeKey: '$default',
      rawPath,
      rawQueryString,
      cookies: [...this.#cookies].map(([name, value]) => `${name}=${value}`),
      headers: {
        host: HOST,
        'x-forwarded-proto': 'https',
        ...(method === 'GET' ? {} : { 'sec-fetch-site': 'same-origin', 'x-celeriac-csrf': this.csrf }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      requestContext: {
        domainName: HOST,
        http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.7', userAgent: 'test' },
      } as LambdaFunctionURLEvent['requestContext'],
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      isBase64Encoded: false,
    };
    const result = (await this.#handler(event as never, {} as never)) as Exclude<LambdaFunctionURLResult, string>;
    const { statusCode: status = 0, headers = {}, cookies = [], isBase64Encoded = false } = result;
    for (const cookie of cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      this.#cookies.set(name, value);
    }
    const given = result.body ?? '';
    const plain = isBase64Encoded ? Buffer.from(given, 'base64').toString() : given;
    const isJson = /json/.test(String(headers['content-type']));
    return {
      status,
      headers,
      body: plain,
      json: isJson && plain !== '' ? (JSON.parse(plain) as Record<string, unknown>) : {},
    };
  }
}

describe.each([false, true])('that only shows: %s', (readOnly) => {
  const shop = shopApp();
  shop.app.task('orders.limited', { rateLimit: '1000/s' }, () => 0);
  shop.app.task(
    'orders.alone',
    { oneInstance: { timeout: PATIENCE_SECONDS, whenLocked: 'wait' } },
    () => shop.released,
  );
  shop.app.task('orders.block', () => {
    throw new Reject('not this one');
  });
  shop.app.task('orders.both', async () => {
    await shop.app.send('orders.charge', ['child', 1]);
  });
  shop.app.beat({
    ruled: { task: 'orders.charge', args: ['ada', 1], schedule: crontab({ minute: 0 }) },
    swept: { task: 'orders.charge', args: ['ada', 1], schedule: every('70s') },
  });
  const roles: ServiceRoles = rolesOf(shop.app, {
    ...EVERY_GRANT,
    [MONITOR]: (service) =>
      service.addMonitor({
        auth: { password: { users: Secret.fromSecretCompleteArn(service, 'Users', USERS) } },
        readOnly,
      }).function,
  });
  const granted = roles.statementsOf(MONITOR);
  const session = granted
    .flatMap(({ Action, Resource }) =>
      [Action].flat().includes('secretsmanager:GetSecretValue') ? [Resource].flat() : [],
    )
    .find((arn) => arn !== USERS);
  let cloud: LocalCloud;
  let tools: ToolServices;
  let visitor: Visitor;
  let ids: Readonly<Record<'alone' | 'both' | 'done' | 'parked' | 'later' | 'blocked', string>>;

  beforeAll(async () => {
    cloud = await startCloud(shop.app, { logger: { log: () => {} } }, roles);
    const hash = await hashPassword('correct horse');
    const { eventSources } = roles;
    tools = await startToolServices({
      region: REGION,
      account: ACCOUNT,
      secrets: { [USERS]: JSON.stringify({ ada: { role: 'operator', hash } }), [String(session)]: 'k'.repeat(64) },
      parameters: { '/celeriac/shop': deployedParameter(cloud, eventSources) },
      allows: (asked) => roles.gate.ask(MONITOR, { ...asked, context: {} }).allowed,
    });
    const told: MonitorTold = {
      app: 'shop',
      login: { way: 'password', users: USERS, session: String(session) },
      parameter: '/celeriac/shop',
      ...(readOnly ? { readOnly } : {}),
    };
    const variables = {
      ...rulesNamedAs(roles.service.rules.prefix, cloud.variables(MONITOR)),
      AWS_ENDPOINT_URL: tools.endpoint,
      AWS_ENDPOINT_URL_EVENTBRIDGE: tools.endpoint,
      [MONITOR_VARIABLE]: JSON.stringify(told),
    };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    // Clients of AWS are made once for a process, and it is another one's each time.
    vi.resetModules();
    const { deployedMonitor } = await import('../../lib/monitor/deployed.ts');
    visitor = new Visitor(handle(await deployedMonitor(variables, PAGE)));
    ids = await seeded(cloud);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    shop.release();
    await tools.stop();
    await cloud.stop();
  });

  /** What an operator would see on a busy day. */
  async function seeded({ app }: LocalCloud): Promise<typeof ids> {
    await app.locks.acquire('import');
    const done = await app.send('orders.charge', ['ada', 1]);
    await app.send('orders.ship', ['DE']);
    await shop.shipping;
    const parked = await app.send('orders.ship', ['DE']);
    const later = await app.send('orders.charge', ['ada', 1], { countdown: 7200 });
    const alone = [await app.send('orders.alone', []), await app.send('orders.alone', [])];
    const both = await app.send('orders.both', []);
    const blocked = await app.send('mail.block', []);
    await app.send('mail.block', []);
    await app.send('orders.block', []);
    await done.get({ timeout: PATIENCE_SECONDS });
    await both.get({ timeout: PATIENCE_SECONDS });
    await vi.waitUntil(async () => (await app.explain(parked.id)).reasons[0]?.kind === 'slot', {
      timeout: PATIENCE_MS,
    });
    await vi.waitUntil(async () => (await blocked.state()) === 'REJECTED', { timeout: PATIENCE_MS });
    const waits = (id: string) => async () => ((await app.explain(id)).reasons[0]?.kind === 'slot' ? id : undefined);
    const aloneId = await vi.waitUntil(
      async () => (await Promise.all(alone.map(({ id }) => waits(id)()))).find((id) => id !== undefined),
      { timeout: PATIENCE_MS },
    );
    return {
      alone: aloneId ?? '',
      both: both.id,
      done: done.id,
      parked: parked.id,
      later: later.id,
      blocked: blocked.id,
    };
  }

  it('lets in whoever has a password, by a page of its own', async () => {
    expect((await visitor.ask('GET', '/api/tasks')).status).toBe(401);
    const page = await visitor.ask('GET', '/login');
    expect([page.status, page.body, page.headers['x-content-type-options']]).toEqual([
      200,
      '<!doctype html>',
      'nosniff',
    ]);
    expect(await visitor.ask('GET', '/assets/a1.js')).toMatchObject({ status: 200, body: '1;' });
    const wrong = await visitor.ask('POST', '/api/login', { name: 'ada', password: 'guessed' });
    expect([wrong.status, wrong.json['code']]).toEqual([401, 'WRONG_LOGIN']);
    expect((await visitor.ask('POST', '/api/login', { name: 'ada', password: 'correct horse' })).status).toBe(200);
    const { json } = await visitor.ask('GET', '/api/session');
    expect(json).toMatchObject({ user: { name: 'ada', role: 'operator' }, readOnly, live: 'poll' });
    visitor.csrf = String(json['csrf']);
  });

  it('answers at every route', async () => {
    const name = 'nightly';
    const path = `/api/schedules/${name}`;
    const entry = { task: 'orders.charge', args: ['ada', 5], schedule: '70s' };
    const letters = { id: ids.blocked };
    const life: readonly (readonly [method: string, path: string, body?: unknown])[] = [
      ['GET', '/api/overview'],
      ['GET', '/api/tasks?from=1h'],
      ['GET', '/api/tasks/waiting'],
      ['GET', '/api/tasks/counts?range=1d'],
      ['GET', '/api/tasks/running'],
      ...Object.values(ids).flatMap((id) => [
        ['GET', `/api/tasks/${id}`] as const,
        ['GET', `/api/tasks/${id}/explain`] as const,
      ]),
      ['GET', '/api/tasks/nothing'],
      ['GET', `/api/tasks/nothing/explain?task=orders.charge`],
      ['GET', `/api/tasks/${ids.both}/tree`],
      ['GET', `/tasks/${ids.done}/status`],
      ['GET', '/metrics'],
      ['GET', '/api/openapi.json'],
      ['GET', '/api/queues'],
      ['GET', '/api/dead-letters'],
      ['GET', `/api/dead-letters/${ids.blocked}`],
      ['GET', '/api/schedules'],
      ['GET', '/api/schedules/swept'],
      ['GET', '/api/schedules/swept/runs'],
      ['GET', '/api/locks'],
      ['GET', '/api/slots?task=orders.ship&key=DE'],
      ['GET', '/api/slots?task=orders.alone'],
      ['GET', '/api/catalogue'],
      ['GET', '/api/audit'],
      ['POST', '/api/dead-letters/redrive', { ...letters, dryRun: true }],
      ['POST', '/api/queues/mail/purge', { name: 'mail', dryRun: true }],
      ['POST', '/api/schedules/check', { name, ...entry }],
      ['POST', '/api/tasks', { task: 'orders.charge', args: ['ada', 1] }],
      ['POST', '/api/tasks', { task: 'orders.charge', args: ['ada', 1], countdown: 7200 }],
      ['POST', '/api/tasks/revoke', { ids: [ids.later] }],
      ['POST', '/api/tasks/revoke', { ids: [ids.parked], terminate: true }],
      ['POST', '/api/queues/mail/pause', {}],
      ['POST', '/api/queues/mail/resume', {}],
      ['POST', '/api/queues/default/pause', {}],
      ['POST', '/api/queues/default/resume', {}],
      ['POST', '/api/queues/default/purge', { name: 'default' }],
      ['POST', '/api/dead-letters/redrive', letters],
      ['POST', '/api/dead-letters/drop', {}],
      ['POST', '/api/queues/mail/purge', { name: 'mail' }],
      ['PUT', path, entry],
      ...(readOnly ? [] : [['GET', path] as const]),
      ['POST', `${path}/disable`, {}],
      ['POST', `${path}/enable`, {}],
      ['POST', `${path}/run`, {}],
      ['POST', `${path}/rename`, { to: 'renamed' }],
      ['DELETE', '/api/schedules/renamed', {}],
      ['POST', '/api/schedules/many', { names: ['ruled', 'swept'], what: 'disable' }],
      ['POST', '/api/schedules/ruled/enable', {}],
      ['POST', '/api/schedules/ruled/follow-code', {}],
      ['POST', '/api/locks/free', { key: 'import' }],
      ['POST', '/api/rates', { task: 'orders.limited', limit: '5/m' }],
      ['POST', '/api/rates', { task: 'orders.limited', limit: null }],
    ];
    for (const [method, address, body] of life) {
      const { status, body: answer } = await visitor.ask(method, address, body);
      const isLook = method === 'GET' || /dryRun|check/.test(`${address}${JSON.stringify(body)}`);
      expect([method, address, status, answer.slice(0, status === 200 ? 0 : 400)]).toEqual([
        method,
        address,
        isLook || !readOnly ? 200 : 403,
        isLook || !readOnly ? '' : expect.any(String),
      ]);
    }
    const asked = life.map(([method, address]) => `${method} ${new URL(address, 'https://x').pathname}`);
    const fits = (route: string): boolean =>
      asked.some((each) => new RegExp(`^${route.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(each));
    expect(ROUTES.map(nameOf).filter((route) => !fits(route))).toEqual([]);
  });

  const told = ({ action, resource, key }: Granted): string =>
    `${action} ${resource.replace(/^.*[:/]/, '')} ${key ?? ''}`.trim();
  const isJustified = (right: Granted): boolean => JUSTIFIED.some(([pattern]) => pattern.test(told(right)));
  const needed = (): Granted[] => grantedBy(granted).filter((right) => !isJustified(right));

  it('has used everything that it is granted', () => {
    const unused = unusedOf(granted, roles.gate.of(MONITOR)).filter((right) => !isJustified(right));
    expect(unused.map(told)).toEqual([]);
  });

  it('can do without none of it', () => {
    const idle = needed().filter((right) => missedWithout(granted, right, roles.gate.of(MONITOR)).length === 0);
    expect(needed().length).toBeGreaterThan(20);
    expect(idle.map(told)).toEqual([]);
  });
});

/** As the stack names them. */
function rulesNamedAs(prefix: string, variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replaceAll(localRulePrefix('shop'), prefix)]),
  );
}

function deployedParameter({ environment }: LocalCloud, eventSources: ServiceRoles['eventSources']): string {
  const workers = Object.entries(eventSources).map(([queue, eventSource]) => [queue, { function: queue, eventSource }]);
  return JSON.stringify({
    version: DEPLOYED_VERSION,
    app: 'shop',
    partition: 'aws',
    region: REGION,
    account: ACCOUNT,
    workers: Object.fromEntries(workers),
    sweeper: 'sweeper',
    lostQueues: [],
    missedTicks: 'https://sqs.us-east-1.amazonaws.com/000000000000/missed',
    rules: 1,
    resultExpiresSeconds: 86_400,
    environment,
  });
}
