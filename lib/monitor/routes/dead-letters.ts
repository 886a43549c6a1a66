/** Dead letters: grouped by what they have in common, looked at, sent back, thrown away. */
import * as v from 'valibot';

import { MAX_LETTERS_LISTED } from '../../base/limits.ts';
import type { Rate } from '../../options/rate-limit.ts';
import { action, read, type Acted, type Route } from '../route.ts';
import { ARGS, integerText, KWARGS, NAME } from '../schemas/common.ts';
import { DEAD_LETTERS, LETTERS_REPORT, OPENED_LETTERS } from '../schemas/queues.ts';
import { said } from './tasks.ts';

const SHOWN_LETTERS = 200;

const FILTER = {
  queue: v.optional(NAME),
  task: v.optional(NAME),
  error: v.optional(NAME),
  fingerprint: v.optional(NAME),
  since: v.optional(NAME),
  until: v.optional(NAME),
};
const CHOSEN = { ...FILTER, id: v.optional(v.union([NAME, v.array(NAME)])), dryRun: v.optional(v.boolean(), false) };
const REDRIVE = v.strictObject({
  ...CHOSEN,
  // What is no rate the app refuses, in its own words.
  rate: v.optional(v.union([NAME, v.number()]) as v.GenericSchema<Rate>),
  edit: v.optional(
    v.strictObject({
      args: v.optional(ARGS),
      kwargs: v.optional(KWARGS),
      queue: v.optional(NAME),
      expires: v.optional(v.null_()),
    }),
  ),
});
const DROP = v.strictObject(CHOSEN);

export const DEAD_LETTER_ROUTES: readonly Route[] = [
  read('/api/dead-letters', {
    summary: 'Dead letters by task, error and shape of message. Looking receives: others do not see them meanwhile',
    query: v.strictObject({ ...FILTER, limit: v.optional(integerText(1, MAX_LETTERS_LISTED)) }),
    answer: DEAD_LETTERS,
    run: async ({ service, query }) => {
      const { groups, letters, complete, counts } = await service.app.deadLetters.list(said(query));
      return { groups, letters: letters.slice(-SHOWN_LETTERS).toReversed(), complete, counts };
    },
  }),
  read('/api/dead-letters/{id}', {
    summary: 'The letters of one task; with its arguments where the monitor shows values',
    query: v.strictObject({ queue: v.optional(NAME) }),
    answer: OPENED_LETTERS,
    run: async ({ service, params, query }) => {
      const letters = await service.app.deadLetters.show(params.id, said(query));
      const { showValues } = service;
      return {
        letters: letters.map(({ body: _bytes, args, kwargs, ...letter }) => ({
          ...letter,
          ...(showValues && args !== undefined ? { args, kwargs } : {}),
        })),
      };
    },
  }),
  action('POST', '/api/dead-letters/redrive', {
    summary: 'Has letters run once more, for 20 s at most: ask again until `complete`. `dryRun` only counts',
    action: 'letters.redrive',
    body: REDRIVE,
    answer: LETTERS_REPORT,
    about: ({ body }) => aboutLetters(body, body.rate === undefined ? '' : `at ${body.rate}`),
    isOnlyLooking: ({ dryRun }) => dryRun,
    run: async ({ service, body, signal }) => {
      const { edit, ...others } = body;
      const changed = edit === undefined ? {} : { edit: said(edit) };
      const report = await service.app.deadLetters.redrive({ ...said(others), ...changed, signal });
      return { answer: report, acted: { count: report.sent + report.settled } };
    },
  }),
  action('POST', '/api/dead-letters/drop', {
    summary: 'Deletes letters for good, for 20 s at most: ask again until `complete`. `dryRun` only counts',
    action: 'letters.drop',
    body: DROP,
    answer: LETTERS_REPORT,
    about: ({ body }) => aboutLetters(body, ''),
    isOnlyLooking: ({ dryRun }) => dryRun,
    run: async ({ service, body, signal }) => {
      const report = await service.app.deadLetters.drop({ ...said(body), signal });
      return { answer: report, acted: { count: report.dropped } };
    },
  }),
];

function aboutLetters({ id, ...filter }: v.InferOutput<typeof DROP>, note: string): Acted {
  const { dryRun: _looked, queue, task, error, fingerprint, since, until } = filter;
  const named = Object.entries({ queue, task, error, fingerprint, since, until }).flatMap(([field, value]) =>
    value === undefined ? [] : [`${field} ${value}`],
  );
  const ids = id === undefined ? [] : [id].flat();
  return { on: [...ids, ...(named.length === 0 && ids.length === 0 ? ['all'] : named)], note };
}
