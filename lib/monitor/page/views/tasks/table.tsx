/** Ends of attempts, one a row; of thousands only those that can be seen are drawn. */
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';

import { useMayAct } from '../../data/queries.ts';
import { useChosen } from '../../data/use-chosen.ts';
import { useWindowRows } from '../../data/window-rows.ts';
import { BulkBar } from './bulk.tsx';
import { type Entry, idOf, keyOf, TaskRow } from './row.tsx';

interface TableProps {
  readonly entries: readonly Entry[];
  readonly isMore: boolean;
  readonly onMore: () => void;
}

const ROW_PIXELS = 36;
// So many rows before the end the next page is asked for.
const MORE_BEFORE = 20;

export function TaskTable({ entries, isMore, onMore }: TableProps): VNode {
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const found = body.current?.getBoundingClientRect().top;
    if (found !== undefined) setTop(found + globalThis.scrollY);
  }, []);
  const { items, before, after, measure, scrollTo } = useWindowRows(entries.length, ROW_PIXELS, top);
  const lastIndex = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (isMore && lastIndex >= entries.length - MORE_BEFORE) onMore();
  }, [isMore, lastIndex, entries.length, onMore]);
  const [, go] = useLocation();
  const { at, selected, toggle, clear } = useChosen(entries.map(keyOf), {
    onMove: scrollTo,
    onOpen: (key) => go(`/tasks/${encodeURIComponent(idOf(key))}`),
    onRetry: () => document.querySelector<HTMLButtonElement>('[data-retry]')?.click(),
  });
  const mayAct = useMayAct();
  const chosen = entries.filter((entry) => selected.has(keyOf(entry)));
  return (
    <>
      <div class="table-wrap">
        <table class="tasks cards">
          <Head mayAct={mayAct} />
          <tbody ref={body}>
            <Space pixels={before} />
            {items.map(({ index }) => {
              const entry = entries[index];
              return entry === undefined ? null : (
                <TaskRow
                  key={keyOf(entry)}
                  entry={entry}
                  index={index}
                  measure={measure}
                  isAt={keyOf(entry) === at}
                  isSelected={selected.has(keyOf(entry))}
                  {...(mayAct ? { onToggle: toggle } : {})}
                />
              );
            })}
            <Space pixels={after} />
          </tbody>
        </table>
      </div>
      {isMore && <p class="hint table-end">Older ones are read as you scroll.</p>}
      {chosen.length > 0 && <BulkBar entries={chosen} onDone={clear} />}
    </>
  );
}

function Head({ mayAct }: { readonly mayAct: boolean }): VNode {
  return (
    <thead>
      <tr>
        {mayAct && (
          <th class="col-select">
            <span class="visually-hidden">Selected</span>
          </th>
        )}
        <th class="col-state">State</th>
        <th class="col-task">Task</th>
        <th class="col-args">Arguments</th>
        <th class="col-outcome">Error or what follows</th>
        <th class="col-queue">Queue</th>
        <th class="col-number number">Waited</th>
        <th class="col-number number">Ran</th>
        <th class="col-when number">Ended</th>
      </tr>
    </thead>
  );
}

/** The room of rows that are not drawn. */
function Space({ pixels }: { readonly pixels: number }): VNode | null {
  return pixels <= 0 ? null : (
    <tr class="space" aria-hidden="true">
      <td colSpan={9} style={{ height: `${pixels}px` }} />
    </tr>
  );
}
