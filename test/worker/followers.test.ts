/** What follows from an outcome, as a value: nothing is sent, stored or called here. */
import { Celeriac } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { ImproperlyConfigured } from '../../lib/base/errors.ts';
import { derivedId } from '../../lib/base/ids.ts';
import { FAILURE, IGNORED, REJECTED, RETRY, REVOKED, SUCCESS } from '../../lib/base/states.ts';
import { chainOf, groupOf } from '../../lib/canvas/build.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { COUNTED_BY_CELERY, type Message, UNCOUNTED } from '../../lib/wire/message.ts';
import { writeDocument, writeException } from '../../lib/wire/result-document.ts';
import { signature, type Signature } from '../../lib/wire/signature.ts';
import type { Settlement } from '../../lib/worker/committed.ts';
import {
  childId,
  type Follower,
  followerIds,
  followersOf,
  hasFollowers,
  unsendable,
} from '../../lib/worker/followers.ts';

const ID = 'the-id';
const app = new Celeriac('test', { routes: () => undefined });
app.task('told', (_id: string) => {});
app.task('called', (_request: unknown, _error: Error, _traceback: string | null) => {});

interface Parts {
  readonly callbacks?: readonly Signature[];
  readonly errbacks?: readonly Signature[];
  /** In the order in which they run. */
  readonly steps?: readonly Signature[];
  readonly chord?: Signature;
  readonly headers?: object;
}

function messageOf({ callbacks = [], errbacks = [], steps = [], chord, headers = {} }: Parts = {}): Message {
  const embed = { callbacks, errbacks, chain: steps.toReversed(), chord: chord ?? null };
  const message = decodeMessage(
    JSON.stringify({
      body: JSON.stringify([[1], { k: 2 }, embed]),
      'content-encoding': 'utf-8',
      'content-type': 'application/json',
      headers: { lang: 'js', task: 'job', id: ID, root_id: ID, ...headers },
      properties: { correlation_id: ID, delivery_info: { routing_key: 'default' } },
    }),
  );
  return frozen(message);
}

/** Whoever writes to it throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

function expanded(followers: readonly Follower[]): Follower[] {
  return followers.flatMap((each) => (each.kind === 'each' ? expanded(each.of.map(each.follower)) : [each]));
}

const DONE = { children: [], dateDone: null, taskId: ID };

function ended(message: Message, status: string, error?: Error, settlement: Settlement = {}): Follower[] {
  const meta =
    status === IGNORED
      ? undefined
      : error === undefined
        ? writeDocument({ ...DONE, status, result: 42, traceback: null })
        : writeException(status, error, DONE);
  const ask = (): Follower[] => expanded(followersOf(message, { status, meta, settlement }, app));
  const followers = ask();
  // Whoever is asked again says the same: every id is fixed.
  expect(ask()).toEqual(followers);
  return followers;
}

const sig = (task: string, options: object = {}): Signature => signature(task, { options: { ...options } });
const task = (name: string): object => expect.objectContaining({ task: name });

describe('success', () => {
  it('without anybody who waits: nothing', () => {
    expect(ended(messageOf(), SUCCESS)).toEqual([]);
  });

  it('links, then the next step of the chain with the steps after it', () => {
    const message = messageOf({
      callbacks: [sig('a'), sig('b', { task_id: 'own' })],
      steps: [sig('one'), sig('two'), sig('three')],
    });
    expect(ended(message, SUCCESS)).toEqual([
      { kind: 'step', signature: task('a'), id: derivedId(`${ID}:link:0`), sent: { args: [42] }, rest: [] },
      { kind: 'step', signature: task('b'), id: 'own', sent: { args: [42] }, rest: [] },
      {
        kind: 'step',
        signature: task('one'),
        id: derivedId(`${ID}:chain:2`),
        sent: { args: [42] },
        // Celery's order: the next one last.
        rest: [task('three'), task('two')],
      },
    ]);
  });

  it('a composite as the next step stays whole: it is taken apart when it is sent', () => {
    const all = groupOf([sig('x'), sig('y')]);
    const [next] = ended(messageOf({ steps: [all, sig('last')] }), SUCCESS);
    expect(next).toMatchObject({ kind: 'step', signature: { subtask_type: 'group' }, rest: [{ task: 'last' }] });
  });

  it('an ignored result that somebody waits for is in the settlement', () => {
    const message = messageOf({ callbacks: [sig('a')] });
    const followers = expanded(
      followersOf(message, { status: SUCCESS, meta: undefined, settlement: { value: 'kept' } }, app),
    );
    expect(followers).toMatchObject([{ kind: 'step', sent: { args: ['kept'] } }]);
  });

  it('error links are not asked', () => {
    expect(ended(messageOf({ errbacks: [sig('told'), sig('called')] }), SUCCESS)).toEqual([]);
  });
});

describe('failure', () => {
  const error = new RangeError('too far');

  it('error links: sent with the id, or called here with the request, the error and its stack', () => {
    const followers = ended(messageOf({ errbacks: [sig('told'), sig('called'), sig('elsewhere')] }), FAILURE, error);
    expect(followers).toMatchObject([
      { kind: 'step', signature: { task: 'told' }, id: derivedId(`${ID}:errback:0`), sent: { args: [ID] } },
      {
        kind: 'errback',
        definition: { name: 'called' },
        signature: { task: 'called' },
        failed: {
          request: { id: ID, task: 'job', args: [1], kwargs: { k: 2 }, retries: 0 },
          error: { name: 'RangeError', message: 'too far' },
          traceback: expect.stringContaining('RangeError'),
        },
      },
      { kind: 'step', signature: { task: 'elsewhere' }, id: derivedId(`${ID}:errback:2`), sent: { args: [ID] } },
    ]);
  });

  it('every step after it has failed with the same error; links are not sent', () => {
    const message = messageOf({ callbacks: [sig('a')], steps: [sig('one'), sig('two')] });
    expect(ended(message, FAILURE, error)).toMatchObject([
      {
        kind: 'failed step',
        signature: { task: 'two' },
        id: derivedId(`${ID}:chain:0`),
        cause: { message: 'too far' },
      },
      {
        kind: 'failed step',
        signature: { task: 'one' },
        id: derivedId(`${ID}:chain:1`),
        cause: { message: 'too far' },
      },
    ]);
  });

  it.each([
    [REJECTED, error, 'too far'],
    [REVOKED, error, 'too far'],
    [IGNORED, undefined, 'raised Ignore'],
  ])('%s calls no error links, and ends the chain', (status, thrown, text) => {
    const message = messageOf({ errbacks: [sig('told'), sig('called')], steps: [sig('one')] });
    expect(ended(message, status, thrown)).toMatchObject([
      { kind: 'failed step', signature: { task: 'one' }, cause: { message: expect.stringContaining(text) } },
    ]);
  });

  it('IGNORED has a cause of its own', () => {
    const [step] = ended(messageOf({ steps: [sig('one')] }), IGNORED);
    expect(step).toHaveProperty('cause', expect.any(ImproperlyConfigured));
  });
});

describe('retry and dead letter', () => {
  it('a retry alone, whatever else hangs on the message', () => {
    const header = { group: 'g', group_index: 0, celeriac: { group: { size: 2 } } };
    const message = messageOf({ callbacks: [sig('a')], errbacks: [sig('told')], steps: [sig('b')], headers: header });
    const retry = { dueMs: 7, overrides: {} };
    expect(ended(message, RETRY, new Error('again'), { retry })).toEqual([{ kind: 'retry', retry }]);
  });

  it('a reject: the dead letter first, then what has failed', () => {
    const deadLetter = { reason: 'no', error: 'Reject: no', deliveries: 3 };
    const followers = ended(messageOf({ steps: [sig('one')] }), REJECTED, new Error('no'), { deadLetter });
    expect(followers).toMatchObject([{ kind: 'dead letter', cause: deadLetter }, { kind: 'failed step' }]);
  });
});

describe('members', () => {
  const member = (group: object, chord?: Signature, index = 1): Message =>
    messageOf({
      headers: { group: 'g', group_index: index, celeriac: { group } },
      ...(chord === undefined ? {} : { chord }),
    });

  it.each([
    [SUCCESS, false],
    [FAILURE, true],
    [IGNORED, true],
  ])('of a group, %s', (status, failed) => {
    const error = status === FAILURE ? new Error('x') : undefined;
    expect(ended(member({ size: 3 }), status, error)).toEqual([
      {
        kind: 'mark',
        mark: { groupId: 'g', index: 1, size: 3, failed, memberId: ID, policy: 'celery', body: undefined },
      },
    ]);
  });

  it('of a chord: who is called when all are finished', () => {
    expect(ended(member({ size: 3, policy: 'failFast' }, sig('body')), SUCCESS)).toMatchObject([
      { kind: 'mark', mark: { policy: 'failFast', body: { task: 'body' } } },
    ]);
  });

  it('of a group that is not counted, or of an index that the group does not have', () => {
    expect(ended(member({ size: 3, policy: UNCOUNTED }), SUCCESS)).toEqual([]);
    expect(ended(member({ size: 1 }), SUCCESS)).toEqual([]);
  });

  it("of a chord that Celery counts: ours with its position, Python's without", () => {
    const position = { index: 1, size: 3 };
    expect(ended(member({ size: 3, policy: COUNTED_BY_CELERY }, sig('body')), SUCCESS)).toEqual([
      { kind: 'member', member: { groupId: 'g', memberId: ID, body: task('body'), position } },
    ]);
    const pythons = messageOf({ headers: { group: 'g', group_index: 1 }, chord: sig('body') });
    expect(ended(pythons, SUCCESS)).toEqual([
      { kind: 'member', member: { groupId: 'g', memberId: ID, body: task('body'), position: undefined } },
    ]);
  });
});

describe('a step that cannot be sent', () => {
  const cause = new TypeError('no');

  it('has failed, as the steps after it have, and its error links are asked with its own request', () => {
    const failing = signature('one', { args: [5], options: { link_error: [sig('told'), sig('called')] } });
    const followers = unsendable(messageOf(), { signature: failing, id: 'one-id', rest: [sig('two')] }, cause, app);
    expect(followers).toMatchObject([
      { kind: 'failed step', signature: { task: 'one' }, id: 'one-id', cause },
      { kind: 'failed step', signature: { task: 'two' }, id: derivedId('one-id:lost'), cause },
      { kind: 'step', signature: { task: 'told' }, id: derivedId('one-id:errback:0'), sent: { args: ['one-id'] } },
      { kind: 'errback', failed: { request: { id: 'one-id', task: 'one', args: [5], parentId: ID }, error: cause } },
    ]);
  });

  it('a composite that cannot be read: nobody is called, and it has failed', () => {
    const broken = { ...chainOf([sig('a'), sig('b')]), kwargs: { tasks: 7 } };
    const followers = unsendable(messageOf(), { signature: broken, id: 'broken', rest: [] }, cause, app);
    expect(followers).toMatchObject([{ kind: 'failed step', cause }]);
  });
});

it('what a record names as children is what is sent', () => {
  const message = messageOf({
    callbacks: [sig('a')],
    errbacks: [sig('told'), sig('called')],
    steps: [sig('one'), sig('two')],
  });
  const sentBy = (followers: readonly Follower[]): string[] =>
    followers.flatMap((each) => (each.kind === 'step' ? [each.id] : []));
  expect(followerIds(message, true, app)).toEqual(sentBy(ended(message, SUCCESS)));
  expect(followerIds(message, false, app)).toEqual(sentBy(ended(message, FAILURE, new Error('x'))));
  expect(followerIds(message, false, app)).toHaveLength(1);
});

it('long lists are not copied: each follower is made when its turn comes', () => {
  let asked = 0;
  const watched = new Proxy(sig('a'), {
    get: (target, key) => {
      asked += 1;
      return Reflect.get(target, key) as unknown;
    },
  });
  const callbacks = Array.from({ length: 50_000 }, () => watched);
  const message: Message = { ...messageOf(), embed: { ...messageOf().embed, callbacks } };
  const followers = followersOf(message, { status: SUCCESS, meta: undefined, settlement: { value: 1 } }, app);
  expect([followers.length, asked]).toEqual([1, 0]);
  expect(followers[0]).toHaveProperty('of', callbacks);
});

describe('what is not read', () => {
  const followed = (parts: Parts, status: string): Follower[] =>
    followersOf(messageOf(parts), { status, meta: 'no JSON', settlement: {} }, app);

  it('a result that nobody waits for, and an error that nobody hears of', () => {
    expect([followed({}, SUCCESS), followed({}, FAILURE), followed({ errbacks: [sig('told')] }, REVOKED)]).toEqual([
      [],
      [],
      [],
    ]);
    for (const parts of [{ steps: [sig('next')] }, { errbacks: [sig('told')] }])
      expect(() => followed(parts, FAILURE)).toThrow(/no JSON|JSON/);
  });
});

it.each<[Parts, boolean]>([
  [{}, false],
  [{ callbacks: [sig('told')] }, true],
  [{ steps: [sig('told')] }, true],
  [{ chord: sig('told') }, true],
  [{ errbacks: [sig('told')] }, false],
])('hasFollowers of %j: %s', (parts, expected) => {
  expect(hasFollowers(messageOf(parts))).toBe(expected);
  const { embed } = messageOf(parts);
  if (!expected)
    expect(hasFollowers({ ...messageOf(), embed: { ...embed, callbacks: null, chain: null } })).toBe(false);
});

it('lists have names, under which is noted how far they are', () => {
  const message = messageOf({ callbacks: [sig('next')], errbacks: [sig('told')], steps: [sig('next')] });
  const listsOf = (status: string): unknown[] =>
    followersOf(message, { status, meta: '{"status":"x","result":null}', settlement: {} }, app).flatMap((each) =>
      each.kind === 'each' ? [each.list] : [],
    );
  expect([listsOf(SUCCESS), listsOf(FAILURE)]).toEqual([['links'], ['errbacks', 'chain']]);
});

it('a result that was not stored is null for whoever comes next', () => {
  const [next] = expanded(
    followersOf(messageOf({ callbacks: [sig('next')] }), { status: SUCCESS, meta: undefined, settlement: {} }, app),
  );
  expect(next).toMatchObject({ kind: 'step', sent: { args: [null] } });
});

describe('why the steps after it have failed', () => {
  const causeOf = (
    status: string,
    meta: string | undefined,
    tasks: Parameters<typeof followersOf>[2] = app,
  ): unknown => {
    const committed = { status, meta, settlement: {} };
    const [step] = expanded(followersOf(messageOf({ steps: [sig('next')] }), committed, tasks));
    return step?.kind === 'failed step' ? step.cause : undefined;
  };

  it.each([
    [REVOKED, undefined, /ended as REVOKED/],
    [REVOKED, '{"status":"REVOKED","result":null}', /ended as REVOKED/],
    [IGNORED, '{"status":"IGNORED","result":{"skipped":"locked"}}', /raised Ignore/],
    [FAILURE, '{"status":"FAILURE","result":{"exc_type":"RangeError","exc_message":["no"]}}', /^no$/],
  ])('%s, %s', (status, meta, message) => {
    expect(causeOf(status, meta)).toMatchObject({ message: expect.stringMatching(message) });
  });

  it('in the caller, the very error', () => {
    const error = new Error('thrown');
    const eager = { errors: new Map([[ID, error]]) } as never;
    const meta = '{"status":"FAILURE","result":{"exc_type":"Error","exc_message":["stored"]}}';
    expect(causeOf(FAILURE, meta, { registry: app.registry, eager })).toBe(error);
    const other = { errors: new Map([['other', error]]) } as never;
    expect(causeOf(FAILURE, meta, { registry: app.registry, eager: other })).toMatchObject({ message: 'stored' });
  });
});

describe('a composite that cannot be read', () => {
  const broken = (options: object): Signature =>
    ({ ...sig('celery.chain', options), subtask_type: 'chain', kwargs: { tasks: 7 } }) as unknown as Signature;

  it('is called as it says, or as its place', () => {
    expect(childId(broken({ task_id: 'given' }), 'name')).toBe('given');
    expect(childId(broken({ task_id: 7 }), 'name')).toBe(derivedId('name'));
    expect(childId(broken({}), 'name')).toBe(derivedId('name'));
  });
});
