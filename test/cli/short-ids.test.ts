/** Ids by their beginning: of what has ended, of what waits; one that several tasks have is refused, one that is an id itself is meant. */
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { EXPLAIN_SCHEMA } from '../../lib/cli/commands/explain.ts';
import { RESULT_SCHEMA } from '../../lib/cli/commands/result.ts';
import { REVOKE_SCHEMA } from '../../lib/cli/commands/revoke.ts';
import { type Answer, celeriacAt } from '../support/celeriac.ts';
import { expectSchema, shopApp } from '../support/shop-service.ts';

const { app } = shopApp();
let cloud: LocalCloud;
let variables: Record<string, string>;
beforeAll(async () => {
  cloud = await LocalCloud.start(app, { logger: { log: () => {} } });
  variables = cloud.variables('local');
});
afterAll(() => cloud.stop());
const celeriac = (...args: readonly string[]): Promise<Answer> => celeriacAt({ variables }, ...args);

describe('the beginning of an id', () => {
  it('is enough for what has ended', async () => {
    await celeriac('call', 'orders.charge', 'ada', '1', '--task-id', 'charge-0001', '--wait');
    // The history is written with the end of its batch.
    await expect.poll(async () => (await app.history.list({ from: '10m' })).entries.length).toBe(1);
    const answer = await celeriac('result', 'charge-0', '--json');
    expect(expectSchema(answer, RESULT_SCHEMA)).toEqual([
      expect.objectContaining({ id: 'charge-0001', state: 'SUCCESS' }),
    ]);
    expect((await celeriac('explain', 'charge-0')).complained).toContain("'charge-0' is the beginning of charge-0001.");
  });

  it('is enough for what waits in the table; revoking takes all of the given ids or none', async () => {
    for (const id of ['later-on-1', 'later-on-2', 'later-on'])
      await celeriac('call', 'orders.charge', 'ada', '1', '--task-id', id, '--countdown', '2h');
    const explained = await celeriac('explain', 'later-on-1', '--json');
    expect(expectSchema(explained, EXPLAIN_SCHEMA)).toEqual([expect.objectContaining({ id: 'later-on-1' })]);
    const several = await celeriac('revoke', 'charge-0', 'later-on-');
    expect([several.code, several.complained]).toEqual([
      2,
      expect.stringContaining("'later-on-' is the beginning of 2 task ids: later-on-1, later-on-2."),
    ]);
    // An id that is the beginning of others is meant itself.
    const revoked = await celeriac('revoke', 'later-on', '--json');
    expect(expectSchema(revoked, REVOKE_SCHEMA)).toEqual([{ id: 'later-on', state: 'REVOKED' }]);
  });

  it('of what is to be changed is eight characters long: what is listed is not all there is', async () => {
    const revoked = await celeriac('revoke', 'charge-', '--json');
    expect(expectSchema(revoked, REVOKE_SCHEMA)).toEqual([{ id: 'charge-', state: 'REVOKED' }]);
    expect(await app.result('charge-0001').state()).toBe('SUCCESS');
  });

  it('what is found nowhere, or is too short, is taken as it is', async () => {
    for (const id of ['cha', 'nothing-of-that'])
      expect((await celeriac('result', id, '--json')).printed).toContain(`"id":"${id}"`);
  });
});
