/** The same as redrive-crash.test.ts, further; and that it sees a redrive that is wrong. */
import { expect, it } from 'vitest';

import type { Backend, ReopenRequest } from '../../lib/ports/backend.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { redrivesHold } from '../support/redrives.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 80);
const BAD = {
  duplicate: 0.2,
  reorder: 0.2,
  crash: 0.03,
  error: 0.03,
  lostResponse: 0.03,
  partialFailure: 0.05,
  clockSkewSeconds: 1,
};

it('whatever dies, each task has one end', async () => {
  for (let seed = 0; seed < SEEDS; seed += 1) await redrivesHold({ seed, faults: BAD });
  expect.hasAssertions();
});

/** What a redrive that is wrong would ask. */
function reopening(change: (request: ReopenRequest) => ReopenRequest): (ports: Ports) => Ports {
  return (ports) => ({
    ...ports,
    backend: new Proxy(ports.backend, {
      get(target, key) {
        if (key === 'reopen') return (request: ReopenRequest) => target.reopen(change(request));
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    }) satisfies Backend,
  });
}

it.each([
  ['how it ended before is forgotten', reopening(({ past: _past, ...request }) => request)],
  [
    'the attempt that has ended may be claimed again',
    reopening((request) => (request.attempt < 0 ? request : { ...request, attempt: request.attempt - 1 })),
  ],
])('%s: is seen', async (_what, sabotage) => {
  const violations: unknown[] = [];
  for (let seed = 0; seed < 40 && violations.length === 0; seed += 1)
    await redrivesHold({ seed, faults: BAD, sabotage }).catch((error: unknown) => violations.push(error));
  expect(violations).toHaveLength(1);
});
