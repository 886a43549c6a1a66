/** Handlers of class tasks: when they are called, and that they see the run they are called for. */
import { describe, expect, it } from 'vitest';
import { Celeriac, currentTask, type TaskOptions } from 'celeriac';
import { World } from 'celeriac/testing';
import { checkedLines } from '../support/log-lines.ts';

function handled(schema?: TaskOptions['schema']) {
  const app = new Celeriac('handlers');
  const seen: string[] = [];
  class Flaky extends app.Task<[failures: number], string> {
    static override readonly options: TaskOptions = {
      maxRetries: 1,
      defaultRetryDelay: 1,
      autoretryFor: [RangeError],
      ...(schema === undefined ? {} : { schema }),
    };
    run(failures: number): string {
      if (this.request.retries < failures) throw new RangeError('not yet');
      return 'done';
    }
    #note(name: string, ...values: readonly unknown[]): void {
      seen.push([name, this.request.retries, currentTask().request.id.length, ...values].join(' '));
    }
    override beforeStart(): void {
      this.#note('beforeStart');
    }
    override onSuccess(value: unknown): void {
      this.#note('onSuccess', value);
    }
    override onRetry(error: unknown): void {
      this.#note('onRetry', error);
    }
    override onFailure(error: unknown): void {
      this.#note('onFailure', String(error).split(':')[0]);
    }
    override afterReturn(state: string): void {
      this.#note('afterReturn', state);
    }
  }
  return { app, seen, task: app.register(Flaky) };
}

const RETRIED = 'beforeStart 0 36|onRetry 0 36 RangeError: not yet|beforeStart 1 36';

describe.each([
  [1, `${RETRIED}|onSuccess 1 36 done|afterReturn 1 36 SUCCESS`],
  [2, `${RETRIED}|onFailure 1 36 RangeError|afterReturn 1 36 FAILURE`],
])('after %i failures', (failures, expected) => {
  it('by a worker', async () => {
    const { app, seen, task } = handled();
    const world = new World(app, { logger: checkedLines() });
    await task.delay(failures);
    await world.drain();
    expect(seen.join('|')).toBe(expected);
  });

  it('eagerly', async () => {
    const { seen, task } = handled();
    await task.apply([failures]);
    expect(seen.join('|')).toBe(expected);
  });
});

it('arguments that are refused have a run, too', async () => {
  let refusing = false;
  const { app, seen, task } = handled({
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (refusing ? { issues: [{ message: 'refused' }] } : { value: value as readonly unknown[] }),
    },
  });
  const world = new World(app, { logger: checkedLines() });
  await task.delay(0);
  refusing = true; // After it was sent.
  await world.drain();
  expect(seen).toEqual(['onFailure 0 36 InvalidArguments', 'afterReturn 0 36 FAILURE']);
});
