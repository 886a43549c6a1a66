/** The list of dead letters, after some have been sent back or dropped. */
import { useQueryClient } from '@tanstack/preact-query';

import type { DeadLettersAnswer, LettersReport } from '../../answers.ts';
import { type Gone, withoutLetters } from '../pure/letters.ts';
import { done } from './until-complete.ts';

/** Lists of letters; one letter's own answer has its id in the path. */
export function isLetterList(queryKey: readonly unknown[]): boolean {
  return typeof queryKey[0] === 'string' && /^\/api\/dead-letters(\?|$)/.test(queryKey[0]);
}

/** @returns what takes letters from the lists; where fewer than `wanted` are done with, it is looked again */
export function useLettersGone(): (gone: Gone, report: LettersReport, wanted: number) => void {
  const client = useQueryClient();
  const ofLists = { predicate: ({ queryKey }: { readonly queryKey: readonly unknown[] }) => isLetterList(queryKey) };
  return (gone, report, wanted) => {
    if (done(report) < wanted) void client.invalidateQueries(ofLists);
    else
      client.setQueriesData<DeadLettersAnswer>(ofLists, (list) =>
        list === undefined ? undefined : withoutLetters(list, gone),
      );
  };
}
