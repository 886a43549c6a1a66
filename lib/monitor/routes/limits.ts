/** Locks, slots and rates: who holds what, who waits, and what is changed by hand. */
import * as v from 'valibot';

import { MAX_LISTED_LOCKS, MAX_SLOTS_LISTED } from '../../base/limits.ts';
import type { Rate } from '../../options/rate-limit.ts';
import { action, read, type Route } from '../route.ts';
import { integerText, NAME } from '../schemas/common.ts';
import { FREED, LOCKS, RATE, SLOTS } from '../schemas/queues.ts';
import { Refused } from '../problem.ts';
import { checkKnown } from './task-actions.ts';
import { said } from './tasks.ts';

const LOCKS_SHOWN = 100;

export const LIMIT_ROUTES: readonly Route[] = [
  read('/api/locks', {
    summary: 'Locks that somebody has',
    query: v.strictObject({ limit: v.optional(integerText(1, MAX_LISTED_LOCKS)) }),
    answer: LOCKS,
    run: async ({ service, query }) => {
      const limit = query.limit ?? LOCKS_SHOWN;
      const locks = await service.app.locks.list({ limit });
      return { locks, more: locks.length === limit };
    },
  }),
  action('POST', '/api/locks/free', {
    summary: 'Takes a lock from whoever has it; with `token` only that holding',
    action: 'lock.free',
    body: v.strictObject({ key: NAME, token: v.optional(v.pipe(v.number(), v.integer())) }),
    answer: FREED,
    about: ({ body }) => ({ on: [body.key] }),
    run: async ({ service, body }) => {
      const { key, ...only } = body;
      const lock = await service.app.locks.free(key, said(only));
      return { answer: { lock }, acted: lock === null ? { note: 'nobody had it' } : { note: lock.info ?? lock.owner } };
    },
  }),
  read('/api/slots', {
    summary: 'Who runs under a task’s concurrency, or alone, and who waits',
    query: v.strictObject({
      task: NAME,
      key: v.optional(NAME),
      limit: v.optional(integerText(1, MAX_SLOTS_LISTED)),
    }),
    answer: SLOTS,
    run: async ({ service, query }) => {
      const { task, ...which } = query;
      const { limit, ...view } = await service.app.control.slots(task, said(which));
      return { ...view, limit: limit ?? null };
    },
  }),
  action('POST', '/api/rates', {
    summary: 'Changes how often a task may start: `10/m`, `0` for no limit, null for what it declares',
    action: 'rate.set',
    body: v.strictObject({ task: NAME, limit: v.nullable(v.union([NAME, v.number()]) as v.GenericSchema<Rate>) }),
    answer: RATE,
    about: ({ body }) => ({ on: [body.task], note: body.limit === null ? 'as declared' : String(body.limit) }),
    run: async ({ service, body }) => {
      const { task, limit } = body;
      checkKnown(task, service);
      const reply = await service.app.control.rateLimit(task, limit ?? undefined);
      if ('ok' in reply) return { answer: { text: reply.ok } };
      throw new Refused({
        status: 409,
        code: 'RATE_NOT_SET',
        title: 'The rate limit was not changed.',
        detail: reply.error,
      });
    },
  }),
];
