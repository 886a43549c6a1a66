/** Whatever of a chord's counting a service refuses for good, once or always: its body ends, and the members' own ends stay. */
import { type AnySignature, Celeriac, chord, type Task } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { applySignature } from '../../lib/producer/apply-canvas.ts';
import { type Signature, withParts } from '../../lib/wire/signature.ts';
import { tapped } from '../support/port-taps.ts';

const MEMBERS = ['one', 'two', 'three'];
const GROUP = 'the-group';

interface Played {
  /** The body's. */
  readonly state: string;
  readonly error: string | undefined;
  readonly members: readonly string[];
  readonly bodies: number;
  readonly refused: number;
}

interface Chord {
  readonly app: Celeriac;
  readonly world: World;
  readonly member: Task;
  readonly body: Task;
}

const KINDS: Readonly<Record<string, (of: Chord) => Promise<unknown>>> = {
  'a chord': async ({ member, body }) => chord(headerOf(member), bodyOf(body)).delay(),
  "a chord of policy 'settled'": async ({ member, body }) =>
    chord(headerOf(member), bodyOf(body), { policy: 'settled' }).delay(),
  "a chord of policy 'failFast'": async ({ member, body }) =>
    chord(headerOf(member), bodyOf(body), { policy: 'failFast' }).delay(),
  'a chord that Python has sent': async ({ app, world, member, body }) => {
    const nowMs = world.clock.nowMs();
    const group = { groupId: GROUP, memberIds: MEMBERS, chord: true, nowMs, expiresAtSeconds: 9e9 };
    await world.celeryGroups.define(group);
    for (const [index, sig] of headerOf(member).entries()) {
      const { options } = sig as unknown as Signature;
      const membership = { chord: bodyOf(body), group_id: GROUP, group_index: index };
      await applySignature(app, withParts(sig as unknown as Signature, { options: { ...options, ...membership } }));
    }
  },
};

const headerOf = (member: Task): AnySignature[] => MEMBERS.map((name) => member.s(name).set({ taskId: name }));
const bodyOf = (body: Task): AnySignature => body.s().set({ taskId: 'body' });

async function play(kind: string, fails: boolean, call: string): Promise<Played> {
  const app = new Celeriac('refused', { resultExpires: '1d' });
  let [bodies, refused] = [0, 0];
  const member = app.task('member', (name: string) => {
    if (fails && name === 'two') throw new RangeError('no');
    return name;
  });
  const body = app.task('body', (results: unknown) => {
    bodies += 1;
    return results;
  });
  const world = new World(app, {
    wrapPorts: (ports) =>
      tapped(
        ports,
        (asked, go) => {
          if (asked !== call) return go();
          refused += 1;
          const error = Object.assign(new Error('no right to it'), { name: 'AccessDeniedException', $fault: 'client' });
          return Promise.reject(error);
        },
        ['backend', 'groups', 'celeryGroups'],
      ),
  });
  await KINDS[kind]?.({ app, world, member: member as Task, body: body as Task });
  await world.drain();
  const [record, ...records] = await world.backend.get(['body', ...MEMBERS], world.clock.nowMs());
  const { result } = JSON.parse(record?.meta ?? '{}') as { readonly result?: { readonly exc_type?: string } };
  return {
    state: record?.status ?? 'PENDING',
    error: result?.exc_type,
    members: records.map((each) => each?.status ?? 'PENDING'),
    bodies,
    refused,
  };
}

const CALLS = ['groups.mark', 'groups.count', 'backend.get', 'celeryGroups.count', 'celeryGroups.members'];

describe.each(Object.keys(KINDS))('%s', (kind) => {
  it.each([...CALLS, 'celeryGroups.close'].flatMap((call) => [false, true].map((fails) => [call, fails] as const)))(
    'where %s is refused (a member fails: %s)',
    async (call, fails) => {
      const calm = await play(kind, fails, '');
      const { state, error, members, bodies, refused } = await play(kind, fails, call);
      expect(members).toEqual(['SUCCESS', fails ? 'FAILURE' : 'SUCCESS', 'SUCCESS']);
      if (refused === 0 || call === 'celeryGroups.close') {
        expect({ state, error, bodies }).toEqual({ state: calm.state, error: calm.error, bodies: calm.bodies });
        return;
      }
      expect(state).toBe('FAILURE');
      expect(bodies).toBe(0);
      expect(['AccessDeniedException', 'ChordError']).toContain(error);
    },
  );

  it.each([false, true])('each of these calls is made by one of the chords (a member fails: %s)', async (fails) => {
    const ends = await Promise.all(CALLS.map(async (call) => play(kind, fails, call)));
    expect(ends.some(({ refused }) => refused > 0)).toBe(true);
  });
});
