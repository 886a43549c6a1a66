/** A store that is slow to answer a claim: what there is no time left for is not started, and nothing is lost by it. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

import type { Ports } from '../../lib/ports/ports.ts';

/** The first claim's answer takes as long as the invocation has. */
function slowClaim(ports: Ports, seconds: number, isFirst: () => boolean): Ports {
  const backend = Object.create(ports.backend) as Ports['backend'];
  backend.claim = async (requests) => {
    const answer = await ports.backend.claim(requests);
    if (isFirst()) await ports.clock.sleep(seconds * 1000);
    return answer;
  };
  // Private fields are the real one's.
  for (const name of ['commit', 'release', 'noteSettled', 'update', 'conclude', 'revoke', 'get', 'forget'] as const)
    Reflect.set(backend, name, (Reflect.get(ports.backend, name) as (arg: unknown) => unknown).bind(ports.backend));
  return { ...ports, backend };
}

it.each([
  ['acksLate: true', true, 59],
  ['acksLate: false', false, 59],
  ['beyond the end of the invocation', true, 400],
])('a claim that took all the time there was starts nothing: %s', async (_what, acksLate, seconds) => {
  const app = new Celeriac('late');
  const runs: number[] = [];
  let claims = 0;
  const work = app.task('work', { acksLate }, () => {
    runs.push(claims);
    return 'done';
  });
  const world = new World(app, {
    invocation: 60,
    wrapPorts: (ports) => slowClaim(ports, seconds, () => (claims += 1) === 1),
  });
  const result = await work.delay();
  await world.drain('1h');
  expect(runs).toEqual([2]);
  expect(await result.get()).toBe('done');
});
