/** A status address on the embedded cloud, under the rights that its function's role has: each of them is needed, and no other asked for. */
import { Celeriac, silentLogger } from 'celeriac';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { answerStatus } from '../../lib/app/status-function.ts';
import { signStatus } from '../../lib/base/status-signature.ts';
import { systemClock } from '../../lib/base/time.ts';
import type { LocalCloud } from '../../lib/local/cloud.ts';
import { actAs } from '../../lib/local/actors.ts';
import { startCloud } from '../support/iam/cloud.ts';
import { EVERY_GRANT, rolesOf } from '../support/iam/roles.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

type Statements = ReturnType<typeof roles.statementsOf>[number][];

const STATUS = 'status';
const KEY = 'k'.repeat(40);
const app = new Celeriac('shop', { logger: silentLogger });
const add = app.task('add', (x: number, y: number) => x + y);
const working = app.task('working', { bind: true }, async (self) => {
  await self.progress(1, 2);
  throw self.retry({ countdown: 600 });
});
const roles = rolesOf(app, {
  ...EVERY_GRANT,
  [STATUS]: (service) => service.addStatusUrl({ auth: 'signed' }).function,
});
let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startCloud(app, {}, roles);
});
afterAll(() => cloud.stop());

const ask = (id: string) =>
  actAs(STATUS, () => {
    const expires = Math.ceil(systemClock.nowMs() / 1000) + 60;
    const signature = signStatus({ app: 'shop', id, expires }, KEY);
    return answerStatus(
      { method: 'GET', path: `/tasks/${id}/status`, query: `expires=${expires}&signature=${signature}` },
      {
        told: { app: 'shop', secret: 'arn' },
        secret: () => Promise.resolve(KEY),
        ports: () => app.ports(),
        clock: systemClock,
        logger: silentLogger,
      },
    );
  });

it('tells what has ended, what is under way and what nobody knows, and asks for single results alone', async () => {
  const [ended, waiting] = [await add.delay(1, 2), await working.delay()];
  await ended.get({ timeout: PATIENCE_SECONDS });
  const shown: unknown[] = [];
  for (const { id } of [ended, waiting, { id: 'unknown' }]) shown.push((await ask(id)).status);
  expect(shown).toEqual([200, 200, 200]);
  const actions = new Set(roles.gate.of(STATUS).map(({ action }) => action));
  expect([...actions]).toEqual(['dynamodb:GetItem']);
  // What its role has for the table is what was asked, and nothing lies idle.
  const granted = roles.statementsOf(STATUS).flatMap(({ Action }) => [Action].flat());
  expect(granted.filter((action) => action.startsWith('dynamodb:'))).toEqual(['dynamodb:GetItem']);
});

it('without that right it tells nothing, not even whether there is such a task', async () => {
  const result = await add.delay(1, 2);
  await result.get({ timeout: PATIENCE_SECONDS });
  const statements = roles.statementsOf(STATUS) as Statements;
  const kept = statements.splice(0, statements.length);
  statements.push(...kept.filter(({ Action }) => ![Action].flat().includes('dynamodb:GetItem')));
  try {
    const { status, body } = await ask(result.id);
    expect([status, body]).toEqual([500, '{"error":"it cannot be told now"}']);
    expect(roles.gate.takeDenied()).toEqual([expect.stringContaining('dynamodb:GetItem')]);
  } finally {
    statements.splice(0, statements.length, ...kept);
  }
  expect((await ask(result.id)).status).toBe(200);
});
