/** Each role may do with the key of an app's codec what its code does, and no more: one life in which all data is encrypted. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SWEEPER } from '../../lib/local/actors.ts';
import { type Granted, grantedBy, missedWithout, unusedOf } from '../support/iam/gate.ts';
import { liveLarge } from '../support/iam/large-life.ts';
import { Scenario, scenarioRoles, WORKER } from '../support/iam/scenario.ts';

const roles = scenarioRoles(true, true);
const { gate } = roles;
let scenario: Scenario;
beforeAll(async () => {
  scenario = await Scenario.start(roles, true);
  await liveLarge(scenario);
  await scenario.live();
  // What one sender has debounced another one reads.
  for (const [who, text] of [
    ['schedules', 'first'],
    ['enqueue', 'next'],
    ['schedules', 'last'],
  ] as const)
    await scenario.as(who).late.applyAsync([text], { debounce: { key: 'common', wait: 60 } });
});
afterAll(() => scenario.stop());

const BOTH = ['kms:Decrypt', 'kms:GenerateDataKey'];
const MAY: Readonly<Record<string, readonly string[]>> = {
  [WORKER]: BOTH,
  [SWEEPER]: BOTH,
  // What is debounced is read.
  enqueue: BOTH,
  outbox: ['kms:GenerateDataKey'],
  schedules: BOTH,
  results: ['kms:Decrypt'],
  history: ['kms:Decrypt'],
  explain: ['kms:Decrypt'],
  manage: BOTH,
  locks: [],
  pause: [],
  letters: BOTH,
};

it('every role may do everything that it did', () => {
  expect(gate.denied).toEqual([]);
});

describe.each(Object.entries(MAY))('%s', (role, may) => {
  const onKey = ({ action }: Granted): boolean => action.startsWith('kms:');
  const statements = roles.statementsOf(role);

  it('may what it is for', () => {
    const granted = grantedBy(statements).filter(onKey);
    expect([...new Set(granted.map(({ action }) => action))].toSorted()).toEqual(may);
  });

  it('used everything that it is granted, and cannot do without', () => {
    const unused = unusedOf(statements, gate.of(role)).filter(onKey);
    expect(unused.map(({ action }) => action)).toEqual([]);
    for (const right of grantedBy(statements).filter(onKey))
      expect(missedWithout(statements, right, gate.of(role)).length, right.action).toBeGreaterThan(0);
  });
});
