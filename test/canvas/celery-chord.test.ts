/** A chord that Python has sent: its members say whose body waits, Celery's stored group says how many they are. */
import { Celeriac, type Logger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';
import { chainOf, chordOf, withOptions } from '../../lib/canvas/build.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { encodeMessage } from '../../lib/wire/encode-message.ts';
import { celeryGroupMembers } from '../../lib/wire/celery-group.ts';
import { groupMemberId } from '../../lib/wire/group-ids.ts';
import { type Signature, signature } from '../../lib/wire/signature.ts';
import { WIRE_SAMPLES } from '../wire/samples.ts';

const GROUP = '00000000-0000-4000-8000-000000000060';
const MEMBERS = ['00000000-0000-4000-8000-000000000061', '00000000-0000-4000-8000-000000000062'];
const BODY = '00000000-0000-4000-8000-000000000069';
const HEADERS = WIRE_SAMPLES.filter(({ name }) => name.startsWith('chord, header'));

function newWorld(add: (x: number, y: number) => number) {
  const app = new Celeriac('python', { queues: { celery: {} } });
  const bodies: unknown[] = [];
  const told: unknown[] = [];
  const warnings: string[] = [];
  app.task('proj.tasks.add', add);
  app.task('proj.tasks.xsum', (values: readonly number[]) => {
    bodies.push(values);
    return values.reduce((total, value) => total + value, 0);
  });
  app.task('tell', (id: string) => void told.push(id));
  const logger: Logger = { log: (level, message) => void (level === 'warn' && warnings.push(message)) };
  const world = new World(app, { logger });
  const send = async (times = 1): Promise<void> => {
    for (let count = 0; count < times; count += 1)
      await world.broker.send(HEADERS.map(({ body }) => ({ queue: 'celery', body })));
    await world.drain();
  };
  return { app, bodies, told, warnings, world, send };
}

const stored = (world: World): Promise<void> =>
  world.celeryGroups.define({ groupId: GROUP, memberIds: MEMBERS, chord: true, nowMs: 0, expiresAtSeconds: 9e9 });

describe("a chord of Python's", () => {
  it('calls its body once, with the results in order, whatever is delivered twice', async () => {
    const { app, bodies, world, send } = newWorld((x, y) => x + y);
    await stored(world);
    await send(3);
    expect(bodies).toEqual([[2, 4]]);
    expect(await app.result(BODY).get({ timeout: 1 })).toBe(6);
  });

  it('fails its body with ChordError when a member fails', async () => {
    const { app, bodies, world, send } = newWorld((x, y) => {
      if (x === 2) throw new RangeError('no');
      return x + y;
    });
    await stored(world);
    await send();
    expect(bodies).toEqual([]);
    await expect(app.result(BODY).get({ timeout: 1 })).rejects.toThrow(
      `Dependency ${MEMBERS[1]} raised RangeError('no')`,
    );
  });

  it('whose group was not stored is told of', async () => {
    const { bodies, warnings, send } = newWorld((x, y) => x + y);
    await send();
    expect(bodies).toEqual([]);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('is a member of a chord, which is not counted here');
  });
});

describe('a chord of a Celery before 5.4, which polls for it', () => {
  const poll = (body: Signature): string =>
    encodeMessage({
      ...decodeMessage(HEADERS[0]?.body ?? ''),
      id: 'unlock',
      task: 'celery.chord_unlock',
      args: [GROUP, body],
      kwargs: { result: MEMBERS.map((id) => [[id, null], null]) },
      embed: { callbacks: null, errbacks: null, chain: null, chord: null },
      groupId: null,
      groupIndex: null,
      etaMs: null,
      queue: 'celery',
    });
  const sum = signature('proj.tasks.xsum', { options: { task_id: BODY } });

  it('sends the body once when all members are there', async () => {
    const { app, bodies, world, send } = newWorld((x, y) => x + y);
    await world.broker.send([{ queue: 'celery', body: poll(sum) }]);
    await world.advance('10s');
    expect(bodies).toEqual([]);
    await send(2);
    await world.broker.send([{ queue: 'celery', body: poll(sum) }]);
    await world.drain();
    expect(bodies).toEqual([[2, 4]]);
    expect(await app.result(BODY).get({ timeout: 1 })).toBe(6);
    expect(world.deadLetters()).toEqual([]);
  });

  it.each([
    ['a task', sum],
    ['a chain', chainOf([signature('proj.tasks.xsum', { options: { task_id: 'first' } }), sum])],
    ['a chord', chordOf([signature('proj.tasks.xsum')], sum)],
  ])('fails the body, %s, when a member fails, and calls its error link', async (_what, body) => {
    const { app, bodies, told, world, send } = newWorld((x, y) => {
      if (x === 2) throw new RangeError('no');
      return x + y;
    });
    const linked = withOptions(body, { link_error: [signature('tell')] });
    await world.broker.send([{ queue: 'celery', body: poll(linked) }]);
    await send();
    await world.drain();
    expect(bodies).toEqual([]);
    await expect(app.result(BODY).get({ timeout: 1 })).rejects.toMatchObject({ name: 'ChordError' });
    expect(told.length).toBeGreaterThan(0);
  });

  it('fails each task of a body that is made of chunks', async () => {
    const { app, world, send } = newWorld(() => {
      throw new RangeError('no');
    });
    const body = signature('celery.chunks', {
      kwargs: { task: signature('proj.tasks.xsum'), it: [[[1]], [[2]], [[3]]], n: 2 },
      options: { task_id: BODY },
      subtaskType: 'chunks',
    });
    await world.broker.send([{ queue: 'celery', body: poll(body) }]);
    await send();
    for (const index of [0, 1])
      await expect(app.result(groupMemberId(BODY, index)).get({ timeout: 1 })).rejects.toMatchObject({
        name: 'ChordError',
      });
  });
});

it.each([
  ['{"result":[["g",null],[[["a",null],null],[["b",["p",null]],null]]]}', ['a', 'b']],
  ['{"result":[["g",null],[[["h",null],[[["a",null],null]]],[["b",null],null]]]}', ['a', 'b']],
  ['{"result":[["g",null],[]]}', []],
  ['{"result":null}', undefined],
  ['no JSON', undefined],
])("Celery's group %s", (text, ids) => {
  expect(celeryGroupMembers(text)).toEqual(ids);
});
