/** Rows that keys are at, and those that are selected, of the table that is shown. */
import { useCallback, useState } from 'preact/hooks';

import { type ChosenRows, moved, NOTHING_CHOSEN, toggled } from '../pure/chosen-rows.ts';
import { useRowKeys } from './keyboard.ts';
import { useMayAct } from './queries.ts';
import { storeOf, useStore } from './store.ts';

interface RowActs {
  /** The row that keys are at now is to be seen. */
  readonly onMove: (index: number) => void;
  readonly onOpen: (key: string) => void;
  readonly onRetry?: () => void;
}

export interface Chosen extends ChosenRows {
  readonly toggle: (key: string) => void;
  readonly choose: (keys: readonly string[]) => void;
  readonly clear: () => void;
}

/** @param keys of all rows, in order */
export function useChosen(keys: readonly string[], { onMove, onOpen, onRetry }: RowActs): Chosen {
  // Not the state of a render: a key that comes before the next one has to know what the last one did.
  const [store] = useState(() => storeOf(NOTHING_CHOSEN));
  const chosen = useStore(store);
  const mayAct = useMayAct();
  const toggle = useCallback((key: string) => store.set(toggled(store.get(), key)), [store]);
  useRowKeys((action) => {
    const { at } = store.get();
    const isThere = at !== undefined && keys.includes(at);
    if (action === 'down' || action === 'up') {
      const next = moved(store.get(), keys, action === 'down' ? 1 : -1);
      store.set(next);
      if (next.at !== undefined) onMove(keys.indexOf(next.at));
    } else if (action === 'open' && isThere) onOpen(at);
    else if (action === 'select' && isThere && mayAct) toggle(at);
    else if (action === 'retry') onRetry?.();
  });
  const choose = (selected: readonly string[]): void => store.set({ ...store.get(), selected: new Set(selected) });
  return { ...chosen, toggle, choose, clear: () => choose([]) };
}
