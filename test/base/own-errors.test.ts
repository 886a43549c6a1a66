/** What a task throws keeps its class and code on the way to whoever reads its result. */
import {
  CeleriacError,
  EnqueueFailed,
  enqueueMany,
  InvalidOption,
  NotSerializable,
  type Retry,
  TaskError,
  TimeoutError,
} from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ERROR_CLASSES } from '../../lib/base/errors.ts';
import { readDocument, restoreError, writeException } from '../../lib/wire/result-document.ts';
import { newWorld } from '../support/worlds.ts';

const BASE = { children: [], dateDone: null, taskId: 'one' };

function overTheWire(error: unknown): Error {
  return restoreError(readDocument(writeException('FAILURE', error, BASE)));
}

/** Of each class, whatever its constructor takes. */
const make = new Map<unknown, (message: string) => Error>([
  [NotSerializable, (message) => new NotSerializable('args[0].user', message)],
  [EnqueueFailed, (message) => new EnqueueFailed(message, [{ ok: true, id: 'a' }])],
  [TaskError, (message) => new TaskError('OutOfStock', [message, 3], 'shop.errors')],
]);

describe('every class of errors.ts', () => {
  it.each([CeleriacError, ...ERROR_CLASSES].map((errorClass) => [errorClass.code, errorClass] as const))(
    '%s comes back as its class, with its code, name, message and stack',
    (code, errorClass) => {
      fc.assert(
        fc.property(fc.string({ minLength: 1 }), (message) => {
          const error = make.get(errorClass)?.(message) ?? new errorClass(message);
          const restored = overTheWire(error);
          expect(restored).toBeInstanceOf(errorClass);
          expect(restored).toMatchObject({ code, name: error.name, message: error.message, stack: error.stack });
          // And once more: a chain hands it on.
          expect(overTheWire(restored)).toMatchObject({ code, name: error.name, message: error.message });
        }),
        { numRuns: 20 },
      );
    },
  );

  it('what they carry comes with them, bounded', () => {
    expect(overTheWire(new NotSerializable('args[0].user', 'no'))).toMatchObject({ path: 'args[0].user' });
    const outcomes = [
      { ok: true, id: 'a' },
      { ok: false, id: 'b', code: 'X', message: 'no' },
    ] as const;
    expect((overTheWire(new EnqueueFailed('no', outcomes)) as EnqueueFailed).outcomes).toEqual(outcomes);
    const many = Array.from({ length: 5000 }, (_, index) => ({ ok: true, id: `${index}` }) as const);
    expect((overTheWire(new EnqueueFailed('no', many)) as EnqueueFailed).outcomes).toEqual([]);
    const odd = new EnqueueFailed('no', [{ ok: true, id: 1n } as never]);
    expect(overTheWire(odd)).toMatchObject({ code: 'ENQUEUE_FAILED', outcomes: [] });
    expect(overTheWire(new NotSerializable('x'.repeat(100_000), 'no'))).toMatchObject({ path: 'x'.repeat(1024) });
    const retry = new (ERROR_CLASSES.find(({ code }) => code === 'RETRY') as never as typeof Retry)('r', 5, null, {});
    expect(overTheWire(retry)).toMatchObject({ dueMs: 5 });
  });

  it("a user's subclass keeps its name, and the code of the class that it extends", () => {
    class BadColour extends InvalidOption {
      static override readonly errorName = 'BadColour';
    }
    const restored = overTheWire(new BadColour('blue'));
    expect(restored).toMatchObject({ code: 'INVALID_OPTION', name: 'BadColour', message: 'blue' });
    expect(InvalidOption.is(restored)).toBe(true);
  });

  it("an error of the user's own that has the name of one of ours does not become ours", () => {
    for (const { errorName: name } of ERROR_CLASSES) {
      if (name === undefined || name === 'TaskError') continue;
      const foreign = Object.assign(new Error('mine'), { name });
      const restored = overTheWire(foreign);
      expect(restored.name).toBe(name);
      // Celery has classes of these names, and its module stands beside them.
      const celerys = /^(ChordError|MaxRetries|NotRegistered|TaskRevoked|.*TimeLimit|WorkerLost)/.test(name);
      if (!celerys) expect(restored).toBeInstanceOf(TaskError);
    }
    expect(TimeoutError.is(overTheWire(Object.assign(new Error('mine'), { name: 'TimeoutError' })))).toBe(false);
  });

  it('reads anything in the place of what it wrote', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('NotSerializable', 'EnqueueFailed', 'Retry', 'Reject', 'Error', 'X'),
        fc.oneof(
          fc.anything(),
          fc.record({
            code: fc.oneof(fc.constantFrom(...ERROR_CLASSES.map(({ code }) => code)), fc.anything()),
            path: fc.anything(),
            outcomes: fc.anything(),
            dueMs: fc.anything(),
            requeue: fc.anything(),
          }),
        ),
        (exc_type, celeriac) => {
          const result = { exc_type, exc_message: ['m'], exc_module: null, celeriac };
          const error = restoreError({ ...BASE, status: 'FAILURE', result, traceback: null });
          expect(error).toBeInstanceOf(Error);
          expect([error.name, error.message]).toEqual([exc_type, 'm']);
        },
      ),
    );
  });
});

describe('a task that fails with an error of ours', () => {
  it('get() throws it with its code', async () => {
    const { world, tasks } = newWorld((app) => ({
      map: app.task('map', (): unknown => new Map([['a', 1]])),
      many: app.task('many', async (): Promise<unknown> => enqueueMany([{ task: 'x y', args: [] } as never])),
      large: app.task('large', () => 'x'.repeat(500_000)),
    }));
    const [map, many, large] = [await tasks.map.delay(), await tasks.many.delay(), await tasks.large.delay()];
    await world.run();
    await expect(map.get()).rejects.toSatisfy((error) => NotSerializable.is(error) && error instanceof NotSerializable);
    await expect(map.get()).rejects.toMatchObject({ path: 'result', message: /Object\.fromEntries/ });
    await expect(many.get()).rejects.toMatchObject({ code: expect.stringMatching(/^(?!TASK_ERROR)[A-Z_]+$/) });
    await expect(large.get()).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' });
  });
});
