/** Something that is being done: once, with what refused it. */
import { useQueryClient } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { type ApiProblem, problemFrom } from './api.ts';
import { isLetterList } from './letters-gone.ts';

export interface Action {
  readonly isBusy: boolean;
  readonly problem: ApiProblem | undefined;
  /** Does it, and has every view asked again. */
  readonly run: () => void;
}

export function useAction(work: () => Promise<void>): Action {
  const client = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem>();
  const run = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      void client.invalidateQueries({
        // Looking at letters hides them from the next action: what acts on them says which are gone.
        predicate: ({ queryKey }) => queryKey[0] !== 'tasks' && queryKey[0] !== 'session' && !isLetterList(queryKey),
      });
    } catch (error) {
      setProblem(problemFrom(error));
    } finally {
      setBusy(false);
    }
  };
  return {
    isBusy,
    problem,
    run: () => {
      if (!isBusy) void run();
    },
  };
}
