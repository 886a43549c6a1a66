/** The names that options may have, beside the types that say the same. */
import { describe, expect, expectTypeOf, it } from 'vitest';

import * as deployed from '../../lib/deployed/options/known-keys.ts';
import { APP_KEYS, checkAppKeys, checkTaskKeys, TASK_KEYS, taskKeysIn } from '../../lib/options/known-keys.ts';
import type { AppOptions } from '../../lib/options/settings.ts';
import type { TaskOptions } from '../../lib/options/task-options.ts';

describe('names of options', () => {
  it('are those of the types, all of them', () => {
    expectTypeOf<(typeof APP_KEYS)[number]>().toEqualTypeOf<keyof AppOptions>();
    expectTypeOf<(typeof TASK_KEYS)[number]>().toEqualTypeOf<keyof TaskOptions>();
    expect(new Set(APP_KEYS).size).toBe(APP_KEYS.length);
    expect(new Set(TASK_KEYS).size).toBe(TASK_KEYS.length);
  });

  it('are refused where nobody knows them, and the nearest is told', () => {
    expect(() => checkAppKeys('shop', { queue: {} })).toThrow(/options of app 'shop'.*queues/s);
    expect(() => checkTaskKeys('mail', { maxRetry: 1 })).toThrow(/options of task 'mail'.*maxRetries/s);
  });

  it('are taken as they are in deployed functions, whose stack has checked them', () => {
    expect(() => deployed.checkAppKeys('shop', { queue: {} })).not.toThrow();
    expect(() => deployed.checkTaskKeys('mail', { maxRetry: 1 })).not.toThrow();
  });

  it('of a task are taken out of more', () => {
    expect(taskKeysIn({ queue: 'mail', url: 'https://example.org' })).toEqual({ queue: 'mail' });
  });
});
