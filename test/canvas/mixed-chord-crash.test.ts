/**
 * Chords with members in Python, whose counter Celery's workers share: a worker of ours dies at each port call in
 * turn, and messages come twice. The body is called once, with all results.
 */
import { type AnySignature, Celeriac, chain, chord, group, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { encodeMessage } from '../../lib/wire/encode-message.ts';
import type { MemoryCeleryGroups } from '../../lib/memory/index.ts';
import type { Message } from '../../lib/wire/message.ts';
import { readDocument, writeDocument } from '../../lib/wire/result-document.ts';
import type { Signature } from '../../lib/wire/signature.ts';
import { crashingPorts, newCommitLog } from '../support/canvas-crash.ts';
import { type Crash, NO_CRASH } from '../support/port-taps.ts';

function newApp() {
  const app = new Celeriac('mixed', {
    queues: { default: {}, celery: { external: true } },
    routes: { 'py.*': 'celery' },
    logger: silentLogger,
  });
  const bodies: unknown[] = [];
  return {
    app,
    bodies,
    ours: {
      echo: app.task('echo', (value: unknown) => value),
      list: app.task('list', (values: readonly unknown[]) => {
        bodies.push(values);
        return values;
      }),
    },
    theirs: {
      echo: app.remote<(value: unknown) => unknown>('py.echo'),
      list: app.remote<(values: readonly unknown[]) => unknown>('py.list'),
    },
  };
}
type Setting = ReturnType<typeof newApp>;

/** What Celery's worker does with a message: it runs it, stores, counts, and sends what follows. */
class PythonWorker {
  readonly bodies: unknown[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async work(): Promise<boolean> {
    const received = this.#world.broker.receive('celery', 1);
    for (const { body, receipt } of received) {
      await this.#run(decodeMessage(body));
      this.#world.broker.acknowledge('celery', receipt);
    }
    return received.length > 0;
  }

  async #run(message: Message): Promise<void> {
    const { id, task, args, embed, groupId } = message;
    if (task === 'py.list') this.bodies.push(args[0]);
    const result = args[0];
    await this.#store(id, result);
    const next = embed.chain?.at(-1);
    if (next !== undefined) await this.#send(next, [result], embed.chain?.slice(0, -1) ?? []);
    else if (embed.chord !== null && groupId !== null) await this.#count(groupId, embed.chord);
  }

  async #store(id: string, result: unknown): Promise<void> {
    const meta = writeDocument({
      status: 'SUCCESS',
      result,
      traceback: null,
      children: [],
      dateDone: null,
      taskId: id,
    });
    const request = { id, attempt: 0, nowMs: this.#world.clock.nowMs(), status: 'SUCCESS', name: '', queue: '', meta };
    await this.#world.backend.conclude([{ ...request, expiresAtSeconds: 9e9 }]);
  }

  async #count(groupId: string, body: Signature): Promise<void> {
    const groups = this.#world.celeryGroups as MemoryCeleryGroups;
    const ids = await groups.members(groupId, 0);
    if (ids === undefined) return;
    if (groups.countInPython(groupId) !== ids.length) return;
    const records = await this.#world.backend.get(ids, 0);
    // Celery: a member that has no result fails the chord.
    const complete = records.every((record) => record?.meta !== undefined);
    if (complete) await this.#send(body, [records.map((record) => readDocument(record?.meta ?? '').result)], []);
    else await this.#store(String(body.options['task_id']), 'ChordError');
    groups.deleteInPython(groupId);
  }

  async #send(sig: Signature, args: readonly unknown[], chain: readonly Signature[]): Promise<void> {
    const { task_id: id, group_id: groupId, group_index: index, chord: body, queue } = sig.options;
    const template = decodeMessage(
      encodeMessage({ ...EMPTY, task: sig.task, id: String(id), args: [...args, ...sig.args] }),
    );
    const embed = { callbacks: null, errbacks: null, chain, chord: (body ?? null) as Signature | null };
    const message = {
      ...template,
      embed,
      groupId: (groupId ?? null) as string | null,
      groupIndex: (index ?? null) as number | null,
    };
    await this.#world.broker.send([{ queue: String(queue), body: encodeMessage(message) }]);
  }
}

const EMPTY = {
  ...decodeMessage(
    JSON.stringify({
      body: '[[],{},null]',
      'content-type': 'application/json',
      headers: { task: 't', id: 'i' },
      properties: { delivery_info: { exchange: '', routing_key: 'default' } },
    }),
  ),
};

const TREES: readonly [string, (setting: Setting) => AnySignature, unknown][] = [
  [
    'a body here',
    ({ ours, theirs }) => chord([ours.echo.s(1), theirs.echo.s(2), ours.echo.s(3)], ours.list.s()),
    [1, 2, 3],
  ],
  ['a body there', ({ ours, theirs }) => chord([theirs.echo.s(1), ours.echo.s(2)], theirs.list.s()), [1, 2]],
  [
    'chains of both',
    ({ ours, theirs }) =>
      chord([chain(ours.echo.s(1), theirs.echo.s()), chain(theirs.echo.s(2), ours.echo.s())], ours.list.s()),
    [1, 2],
  ],
  [
    'in a chain',
    ({ ours, theirs }) =>
      chain(ours.echo.s(1), group([theirs.echo.s(), ours.echo.s()]) as never, ours.list.s() as never),
    [1, 1],
  ],
];

// Between two of these nothing tells whether the first took effect.
const BETWEEN: ReadonlySet<string> = new Set([
  'backend.commit',
  'broker.send',
  'backend.noteSettled',
  'celeryGroups.close',
]);

interface End {
  readonly value: unknown;
  readonly bodies: readonly unknown[];
  readonly calls: readonly string[];
  readonly crashed: boolean;
}

/** @param theirsFirst Celery's workers do what they can before ours begin: the last member is one of ours. */
async function play(
  build: (setting: Setting) => AnySignature,
  crash: Crash,
  { copies = 1, theirsFirst = false } = {},
): Promise<End> {
  const setting = newApp();
  const log = newCommitLog();
  const world = new World(setting.app, {
    logger: silentLogger,
    wrapPorts: (ports) => crashingPorts(ports, crash, log),
  });
  if (copies > 1) doubled(world, copies);
  const python = new PythonWorker(world);
  const result = await (
    build(setting) as unknown as { delay(): Promise<{ get(options: object): Promise<unknown> }> }
  ).delay();
  // Celery's workers poll; each of them may come before or after ours.
  if (theirsFirst) while (await python.work());
  do await world.advance('20s');
  while ((await python.work()) || world.broker.depth('default').visible + world.broker.depth('default').inFlight > 0);
  return {
    value: await result.get({ timeout: 1 }),
    bodies: [...setting.bodies, ...python.bodies],
    calls: log.calls,
    crashed: log.crashed,
  };
}

/** Messages for our workers come more than once, as SQS may deliver them. */
function doubled(world: World, copies: number): void {
  const send = world.broker.send.bind(world.broker);
  world.broker.send = async (items) => {
    const outcomes = await send(items);
    for (let copy = 1; copy < copies; copy += 1)
      await send(
        items.filter(({ queue }) => queue === 'default').map((item) => ({ ...item, delaySeconds: 20 * copy })),
      );
    return outcomes;
  };
}

describe.each(TREES)('a chord of both sides, %s', (_name, build, values) => {
  it('calls its body once', async () => {
    const end = await play(build, NO_CRASH);
    expect(end.bodies).toEqual([values]);
    expect(end.value).toEqual(values);
    expect(end.calls).toContain('celeryGroups.count');
    // A member knows its place: the group is read once at most, for the body.
    expect(end.calls.filter((call) => call === 'celeryGroups.members').length).toBeLessThanOrEqual(1);
  });

  it.each([
    ['before', 'ours first', false],
    ['after', 'ours first', false],
    ['before', 'ours last', true],
    ['after', 'ours last', true],
  ] as const)('wherever a worker of ours dies, %s each call, %s', async (when, _order, theirsFirst) => {
    const uninterrupted = await play(build, NO_CRASH, { theirsFirst });
    expect(uninterrupted.value).toEqual(values);
    for (let call = 1; call <= uninterrupted.calls.length; call += 1) {
      const end = await play(build, { call, when }, { theirsFirst });
      const where = `${when} call ${call}, ${uninterrupted.calls[call - 1]}`;
      expect(end.crashed, where).toBe(true);
      const between = BETWEEN.has(uninterrupted.calls[call - 1] ?? '');
      // A task of theirs that we send twice, since we die before we note that it is sent, counts twice.
      if (between && end.value === 'ChordError') continue;
      expect(end.value, where).toEqual(values);
      // A body of ours runs once more where we die before its outcome is stored, one of theirs where we send it twice.
      expect(end.bodies.slice(1).length, where).toBeLessThanOrEqual(between ? 1 : 0);
      for (const body of end.bodies) expect(body, where).toEqual(values);
    }
  });

  it('whatever comes twice', async () => {
    const end = await play(build, NO_CRASH, { copies: 3 });
    expect(end.value).toEqual(values);
    expect(end.bodies).toEqual([values]);
  });
});
