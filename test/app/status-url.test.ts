/** Addresses of single tasks: what they show, to whom, and until when. */
import { Celeriac, InvalidOption, MissingEnvironment, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { answerStatus, type StatusResponse } from '../../lib/app/status-function.ts';
import { isSignedStatus, signStatus, statusKeys } from '../../lib/base/status-signature.ts';
import type { StatusTold } from '../../lib/options/status-variable.ts';

const KEY = 'k'.repeat(40);
const OLD = 'o'.repeat(40);
const START = new Date('2030-01-01T00:00:00Z');
const URL_OF = 'https://abc.lambda-url.eu-west-1.on.aws/';

beforeEach(() => vi.stubEnv('CELERIAC_STATUS_URL_SHOP', JSON.stringify({ url: URL_OF, keys: KEY })));
afterEach(() => vi.unstubAllEnvs());

function made() {
  const app = new Celeriac('shop', { queues: { default: {} }, logger: silentLogger });
  const good = app.task('good', () => ({ n: 1n.toString(), at: new Date(0) }));
  const bad = app.task('bad', () => {
    throw new TypeError('password is hunter2');
  });
  const slow = app.task('slow', { bind: true }, async (self) => {
    await self.progress(3, 10);
    throw self.retry({ countdown: 3600 });
  });
  const working = app.task('working', { bind: true }, async (self) => {
    await self.updateState('PROGRESS', { current: 3, total: 10 });
    await world.clock.sleep(60_000);
    return 'done';
  });
  const world = new World(app, { start: START });
  return { app, world, good, bad, slow, working };
}

type Made = ReturnType<typeof made>;

function asked({ app, world }: Made, url: string, told: Partial<StatusTold> = {}, keys = KEY, method = 'GET') {
  const { pathname: path, search } = new URL(url);
  return answerStatus(
    { method, path, query: search.slice(1) },
    {
      told: { app: 'shop', secret: 'arn', ...told },
      secret: () => Promise.resolve(keys),
      ports: () => app.ports(),
      clock: world.clock,
      logger: silentLogger,
    },
  );
}

const taskIn = ({ body }: StatusResponse): unknown => (JSON.parse(body) as { readonly task?: unknown }).task;

describe('statusUrl()', () => {
  it('is the address of its task, at which its state is told as Celery told it', async () => {
    const run = made();
    using world = run.world;
    const result = await run.good.delay();
    const url = await result.statusUrl({ expires: '10m' });
    expect(url).toMatch(new RegExp(`^${URL_OF}tasks/${result.id}/status\\?expires=1893456600&signature=[\\w-]{43}$`));
    expect(taskIn(await asked(run, url))).toEqual({ id: result.id, status: 'PENDING', result: null });
    await world.run();
    const answer = await asked(run, url);
    expect(taskIn(answer)).toEqual({
      id: result.id,
      status: 'SUCCESS',
      result: { n: '1', at: '1970-01-01T00:00:00.000Z' },
    });
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    });
    expect(await run.app.statusUrl(result.id, { expires: '10m' })).toBe(url);
  });

  it('shows progress, and errors as far as that is wanted', async () => {
    const run = made();
    using world = run.world;
    const failed = await run.bad.delay();
    await world.run();
    const url = await failed.statusUrl();
    expect(taskIn(await asked(run, url))).toEqual({ id: failed.id, status: 'FAILURE', result: 'TypeError' });
    expect((await asked(run, url)).body).not.toContain('hunter2');
    expect(taskIn(await asked(run, url, { showErrors: true }))).toMatchObject({
      result: 'TypeError: password is hunter2',
      traceback: expect.stringContaining('hunter2'),
    });
    const working = await run.working.delay();
    const watched = await working.statusUrl({ expires: '1h' });
    let seen: unknown;
    world.clock.schedule(
      30_000,
      () => void asked(run, watched, { hideResults: true }).then((answer) => (seen = taskIn(answer))),
    );
    await world.advance('2m');
    expect(seen).toEqual({ id: working.id, status: 'PROGRESS', result: { current: 3, total: 10 } });
    expect(taskIn(await asked(run, watched, { hideResults: true }))).toEqual({
      id: working.id,
      status: 'SUCCESS',
      result: null,
    });
    expect(taskIn(await asked(run, watched))).toMatchObject({ result: 'done' });
  });

  it('ends when it expires', async () => {
    const run = made();
    using world = run.world;
    const result = await run.good.delay();
    const url = await result.statusUrl({ expires: 60 });
    await world.advance('59s');
    expect((await asked(run, url)).status).toBe(200);
    await world.advance('1s');
    expect((await asked(run, url)).status).toBe(403);
  });

  it('is believed with the new key and with the old one, and with no other', async () => {
    const run = made();
    using _world = run.world;
    const url = await run.app.statusUrl('a');
    const statusWith = async (keys: string): Promise<number> => (await asked(run, url, {}, keys)).status;
    expect(await statusWith(`${OLD} ${KEY}`)).toBe(200);
    expect(await statusWith(`${KEY}\n${OLD}`)).toBe(200);
    expect(await statusWith(OLD)).toBe(403);
    expect(await statusWith('')).toBe(403);
    expect(await statusWith('short')).toBe(403);
  });

  it.each(['a', 'ä/ö?#%', '../../x', ' ', 'a'.repeat(250)])('takes the id %j', async (id) => {
    const run = made();
    using _world = run.world;
    expect(taskIn(await asked(run, await run.app.statusUrl(id)))).toEqual({ id, status: 'PENDING', result: null });
  });

  it('refuses what it cannot sign', async () => {
    const { app, world } = made();
    using _world = world;
    await expect(app.statusUrl('')).rejects.toBeInstanceOf(InvalidOption);
    await expect(app.statusUrl('a', { expires: 0 })).rejects.toThrow('expires of statusUrl()');
    await expect(app.statusUrl('a', { expires: '8d' })).rejects.toThrow('at most 604800 s');
    await expect(app.statusUrl('a', { expire: 1 } as never)).rejects.toThrow("'expire' is no option");
    vi.stubEnv('CELERIAC_STATUS_URL_SHOP', JSON.stringify({ url: URL_OF, keys: 'short' }));
    await expect(app.statusUrl('a')).rejects.toThrow('at least 32 characters');
    vi.stubEnv('CELERIAC_STATUS_URL_SHOP', '');
    await expect(app.statusUrl('a')).rejects.toBeInstanceOf(MissingEnvironment);
  });
});

describe('what is not signed for it', () => {
  it('is refused with one and the same answer, whether there is such a task or not', async () => {
    const run = made();
    using world = run.world;
    const mine = await run.good.delay();
    const other = await run.good.delay();
    await world.run();
    const url = await mine.statusUrl();
    const { search } = new URL(url);
    const signed = new URLSearchParams(search);
    const signature = signed.get('signature') ?? '';
    const expires = Number(signed.get('expires'));
    const foreign = signStatus({ app: 'other', id: mine.id, expires }, KEY);
    const at = (id: string, query: string): string => `${URL_OF}tasks/${id}/status?${query}`;
    const refused = [
      at(other.id, search.slice(1)),
      at('unknown', search.slice(1)),
      at(mine.id, ''),
      at(mine.id, `expires=${expires}`),
      at(mine.id, `signature=${signature}`),
      at(mine.id, `expires=${expires + 1}&signature=${signature}`),
      at(mine.id, `expires=0${expires}&signature=${signature}`),
      at(mine.id, `expires=${expires}.0&signature=${signature}`),
      at(mine.id, `expires=Infinity&signature=${signature}`),
      at(mine.id, `expires=${expires}&signature=${signature.slice(0, -1)}`),
      at(mine.id, `expires=${expires}&signature=${signature}=`),
      at(mine.id, `expires=${expires}&signature=${signature}&signature=${signature}`),
      at(mine.id, `expires=${expires}&expires=${expires + 9}&signature=${signature}`),
      at(mine.id, `expires=${expires}&signature=${foreign}`),
      at(`${mine.id}/../${other.id}`, search.slice(1)),
      at(`${mine.id}%00`, search.slice(1)),
      at('%ff', search.slice(1)),
      `${URL_OF}tasks/${mine.id}/status/${search}`,
      `${URL_OF}${search}`,
    ];
    const answers = await Promise.all(refused.map((each) => asked(run, each)));
    for (const [index, answer] of answers.entries())
      expect([refused[index], answer]).toEqual([
        refused[index],
        { status: 403, headers: expect.anything(), body: '{"error":"forbidden"}' },
      ]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect((await asked(run, url, {}, KEY, 'POST')).status).toBe(405);
  });

  it('any other claim than the one that was signed', () => {
    const claim = fc.record({ app: fc.string(), id: fc.string(), expires: fc.nat() });
    fc.assert(
      fc.property(claim, claim, (one, two) => {
        const isSame = one.app === two.app && one.id === two.id && one.expires === two.expires;
        expect(isSignedStatus(two, signStatus(one, KEY), statusKeys(KEY), -1)).toBe(isSame);
        expect(isSignedStatus(one, signStatus(one, OLD), statusKeys(KEY), -1)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('needs no signature where IAM has let the caller in, and tells nothing where the store cannot be asked', async () => {
    const run = made();
    using _world = run.world;
    const { secret: _secret, ...told } = { app: 'shop', secret: 'arn' };
    const parts = {
      told,
      secret: () => Promise.reject(new Error('none')),
      clock: run.world.clock,
      logger: silentLogger,
    };
    const request = { method: 'GET', path: '/tasks/a/status', query: '' };
    expect((await answerStatus(request, { ...parts, ports: () => run.app.ports() })).status).toBe(200);
    const broken = await answerStatus(request, {
      ...parts,
      ports: () => Promise.reject(new Error('table shop-results')),
    });
    expect([broken.status, broken.body.includes('shop')]).toEqual([500, false]);
  });
});
