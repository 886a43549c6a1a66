/** What adapters make of single answers, without a server: void receipts, batches that the service does not know, races. */
import { ManualClock } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import {
  BatchExecuteStatementCommand,
  type ChangeMessageVisibilityCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  type SQSClient,
} from '#aws-sdk';

import { CallBudget } from '../../lib/aws/call-budget.ts';
import type { Connected } from '../../lib/aws/connect.ts';
import { Statements } from '../../lib/aws/dynamodb-statements.ts';
import { SqsBroker } from '../../lib/aws/sqs-broker.ts';
import type { ClaimRequest } from '../../lib/ports/backend.ts';
import { adapters, NOW } from '../support/fake-services/adapters.ts';
import type { Send } from '../support/fake-services/services.ts';

const named = (name: string, more: object = {}): Error => Object.assign(new Error(name), { name, ...more });
// oxlint-disable-next-line prefer-promise-reject-errors -- what a client may throw
const failing = (thrown: unknown) => (): Promise<never> => Promise.reject(thrown);

describe('changing the visibility of a message', () => {
  function rig(answer: () => Promise<object>): { broker: SqsBroker; inputs: object[] } {
    const inputs: object[] = [];
    const send: Send = (command) => {
      inputs.push((command as ChangeMessageVisibilityCommand).input);
      return answer();
    };
    const client = { send } as unknown as SQSClient;
    return { broker: new SqsBroker({ client, queues: { mail: { url: 'https://sqs/mail', fifo: false } } }), inputs };
  }

  it.each([
    [0, 0],
    [-5, 0],
    [0.2, 1],
    [29.5, 30],
    [43_200, 43_200],
    [43_200.5, 43_200],
    [1e9, 43_200],
  ])('by %f s asks for %i: whole seconds, no more than twelve hours', async (seconds, VisibilityTimeout) => {
    const { broker, inputs } = rig(() => Promise.resolve({}));
    await broker.changeVisibility('mail', 'receipt', seconds);
    expect(inputs).toEqual([{ QueueUrl: 'https://sqs/mail', ReceiptHandle: 'receipt', VisibilityTimeout }]);
  });

  it.each(['ReceiptHandleIsInvalid', 'MessageNotInflight', 'InvalidParameterValue'])(
    '%s: a newer delivery or a deletion made the receipt void, and nothing is left to change',
    async (name) => {
      await expect(rig(() => Promise.reject(named(name))).broker.changeVisibility('mail', 'r', 1)).resolves.toBe(
        undefined,
      );
    },
  );

  it('every other error is told, and what is no error too', async () => {
    for (const error of [named('AccessDenied'), named(''), 'ReceiptHandleIsInvalid', { name: 'MessageNotInflight' }]) {
      const { broker } = rig(failing(error));
      await expect(broker.changeVisibility('mail', 'r', 1)).rejects.toBe(error);
    }
  });

  it('of a queue that is not known asks nothing', async () => {
    const { broker, inputs } = rig(() => Promise.resolve({}));
    await broker.changeVisibility('other', 'receipt', 1);
    expect(inputs).toEqual([]);
  });
});

describe('a batch of statements', () => {
  const STATEMENT = { Statement: 'UPDATE', Parameters: [] };

  function rig(answer: () => Promise<object>): { statements: Statements; sizes: number[] } {
    const sizes: number[] = [];
    const send: Send = (command) => {
      sizes.push((command as BatchExecuteStatementCommand).input.Statements?.length ?? -1);
      return answer();
    };
    return { statements: new Statements({ send } as unknown as DynamoDBClient), sizes };
  }

  it.each(['UnknownOperationException', 'UnknownOperation', 'InvalidAction', 'NotImplemented'])(
    '%s: the service knows no PartiQL, and is not asked again',
    async (name) => {
      const { statements, sizes } = rig(() => Promise.reject(named(name)));
      expect(statements.supported).toBe(true);
      expect(await statements.execute([STATEMENT, STATEMENT])).toEqual(['unknown', 'unknown']);
      expect(statements.supported).toBe(false);
      expect(await statements.execute([STATEMENT])).toEqual(['unknown']);
      expect(sizes).toEqual([2]);
    },
  );

  it.each(['ThrottlingException', 'ValidationException', ''])(
    'after %j the next one is asked all the same',
    async (name) => {
      const { statements, sizes } = rig(() => Promise.reject(named(name)));
      expect(await statements.execute([STATEMENT])).toEqual(['unknown']);
      expect(await statements.execute([STATEMENT])).toEqual(['unknown']);
      expect([statements.supported, sizes]).toEqual([true, [1, 1]]);
    },
  );

  it.each([
    [{ Responses: [{}] }, 'done'],
    [{ Responses: [{ Error: { Code: 'ConditionalCheckFailed' } }] }, 'refused'],
    [{ Responses: [{ Error: { Code: 'DuplicateItem' } }] }, 'refused'],
    [{ Responses: [{ Error: { Code: 'ThrottlingError' } }] }, 'unknown'],
    [{ Responses: [{ Error: {} }] }, 'unknown'],
    [{ Responses: [] }, 'unknown'],
    [{}, 'unknown'],
  ])('%j says: %s', async (answer, outcome) => {
    expect(await rig(() => Promise.resolve(answer)).statements.execute([STATEMENT])).toEqual([outcome]);
  });

  it('what is no error is thrown on', async () => {
    await expect(rig(failing('broken')).statements.execute([STATEMENT])).rejects.toBe('broken');
  });
});

const claim = (id: string, more: Partial<ClaimRequest> = {}): ClaimRequest => ({
  id,
  attempt: 0,
  owner: 'first',
  nowMs: NOW,
  leaseMs: NOW + 60_000,
  name: 'task',
  queue: 'plain',
  meta: '{}',
  expiresAtSeconds: NOW / 1000 + 86_400,
  ...more,
});

describe('many claims and commits', () => {
  it.each([
    [1, []],
    [2, [2]],
    [25, [25]],
    [26, [25, 1]],
    [60, [25, 25, 10]],
  ])('of %i tasks go in batches of %j statements, each once', async (count, sizes) => {
    const { ports, sent } = adapters();
    const claims = Array.from({ length: count }, (_, index) => claim(`t${index}`));
    expect(await ports.backend.claim(claims)).toEqual(
      claims.map(() => ({ kind: 'claimed', deliveries: 1, requeues: 0 })),
    );
    const batches = (): number[] =>
      sent.flatMap((command) =>
        command instanceof BatchExecuteStatementCommand ? (command.input.Statements?.length ?? -1) : [],
      );
    expect(batches()).toEqual(sizes);
    const commits = claims.map((each) => ({ ...each, status: 'SUCCESS', final: true, meta: `"${each.id}"` }));
    expect(await ports.backend.commit(commits)).toEqual(claims.map(() => true));
    expect(batches()).toEqual([...sizes, ...sizes]);
    expect(
      (
        await ports.backend.get(
          claims.map(({ id }) => id),
          NOW,
        )
      ).map((record) => record?.meta),
    ).toEqual(claims.map(({ id }) => `"${id}"`));
  });

  it('of retries each goes alone: a batch cannot say "older"', async () => {
    const { ports, sent } = adapters();
    await ports.backend.claim([claim('a', { attempt: 1 }), claim('b', { attempt: 2 }), claim('c')]);
    expect(sent.filter((command) => command instanceof BatchExecuteStatementCommand)).toEqual([]);
  });
});

describe('a step of the protocol', () => {
  const commit = { ...claim('a'), status: 'SUCCESS', final: true };
  const steps: Readonly<Record<string, (ports: Connected) => Promise<unknown>>> = {
    update: ({ backend }) => backend.update({ ...commit, status: 'PROGRESS' }),
    release: ({ backend }) => backend.release(commit),
    commit: ({ backend }) => backend.commit([commit]),
    noteSettled: ({ backend }) => backend.noteSettled(commit),
  };
  const first: Readonly<Record<string, (ports: Connected) => Promise<unknown>>> = {
    claim: ({ backend }) => backend.claim([claim('a')]),
    'claim of what expires at once': ({ backend }) => backend.claim([claim('a', { expiresAtSeconds: NOW / 1000 - 1 })]),
    conclude: ({ backend }) => backend.conclude([{ ...commit, status: 'FAILURE' }]),
    revoke: ({ backend }) => backend.revoke(commit),
  };

  it.each(Object.entries({ ...steps, ...first }))(
    '%s is one request where nothing stands against it',
    async (name, run) => {
      let asked = 0;
      const { ports, other } = adapters(() => {
        asked += 1;
        return asked > 5 ? Promise.reject(new Error('asked again and again')) : Promise.resolve();
      });
      if (name in steps) await other.backend.claim([claim('a')]);
      if (name === 'noteSettled') await other.backend.commit([commit]);
      await run(ports);
      expect(asked).toBe(1);
    },
  );
});

describe('a record that has expired and is still there', () => {
  const LATER = NOW + 10_000;
  const expired = claim('a', { expiresAtSeconds: NOW / 1000 + 5 });
  const again = claim('a', { owner: 'second', nowMs: LATER, leaseMs: LATER + 60_000 });

  it.each<[string, (ports: Connected) => Promise<unknown>, unknown]>([
    ['claimed', ({ backend }) => backend.claim([again]), [{ kind: 'claimed', deliveries: 1, requeues: 0 }]],
    ['concluded', ({ backend }) => backend.conclude([{ ...again, status: 'FAILURE' }]), [{ kind: 'concluded' }]],
    ['revoked', ({ backend }) => backend.revoke(again), 'REVOKED'],
  ])('is none: it is %s anew', async (_what, run, answer) => {
    const { ports } = adapters();
    await ports.backend.claim([expired]);
    expect(await run(ports)).toEqual(answer);
  });

  it('to the second: what expires now is none, what expires in a second stands', async () => {
    for (const [aheadSeconds, kind] of [
      [0, 'claimed'],
      [1, 'busy'],
    ] as const) {
      const { ports } = adapters();
      await ports.backend.claim([claim('a', { expiresAtSeconds: LATER / 1000 + aheadSeconds })]);
      expect(await ports.backend.claim([again])).toMatchObject([{ kind }]);
    }
  });

  it('is not taken away from somebody who has just claimed it anew', async () => {
    let met = 0;
    const { ports, other } = adapters(async (command, others) => {
      if (!(command instanceof DeleteItemCommand)) return;
      met += 1;
      await others.backend.claim([{ ...again, owner: 'third' }]);
    });
    await other.backend.claim([expired]);
    expect(await ports.backend.claim([again])).toMatchObject([{ kind: 'busy', leaseMs: again.leaseMs }]);
    expect(met).toBe(1);
    expect(await other.backend.get(['a'], LATER)).toMatchObject([{ owner: 'third' }]);
  });

  it('an error that is none of its conditions is told', async () => {
    const { ports, other } = adapters((command) =>
      command instanceof DeleteItemCommand ? Promise.reject(named('AccessDenied')) : Promise.resolve(),
    );
    await other.backend.claim([expired]);
    await expect(ports.backend.claim([again])).rejects.toThrow('AccessDenied');
  });
});

describe('an answer shows that the service is there', () => {
  it.each<[unknown, boolean]>([
    [named('ConditionalCheckFailed', { $fault: 'client' }), true],
    [named('Throttling', { $fault: 'client', $retryable: {} }), false],
    [named('InternalError', { $fault: 'server' }), false],
    [named('ECONNRESET'), false],
    [undefined, false],
    [null, false],
    ['client', false],
  ])('%s: the budget begins anew is %s', async (refusal, anew) => {
    const clock = new ManualClock(NOW);
    const budget = new CallBudget(3, clock);
    let over: string | undefined;
    const hanging = budget.run(() => new Promise(() => {}));
    hanging.catch((thrown: Error) => (over = thrown.name));
    clock.moveTo(NOW + 2000);
    await expect(budget.run(failing(refusal))).rejects.toBeInstanceOf(Error);
    for (const [ms, expected] of [
      [2999, undefined],
      [3000, anew ? undefined : 'CallBudgetOver'],
      [4999, anew ? undefined : 'CallBudgetOver'],
      [5000, 'CallBudgetOver'],
    ] as const) {
      clock.moveTo(NOW + ms);
      await new Promise((resolve) => setImmediate(resolve));
      expect(over, `after ${ms} ms`).toBe(expected);
    }
  });
});
