/** What was asked for: loading, there, refused, or no longer fresh. */
import type { UseQueryResult } from '@tanstack/preact-query';
import type { ComponentChildren, VNode } from 'preact';

import { problemFrom } from '../data/api.ts';
import { useLater } from '../data/clock.ts';
import { Button, Note } from './controls.tsx';
import { Ago, Hostile } from './text.tsx';

const SKELETON_AFTER_MS = 150;

/** The shape of what comes. */
export function Skeleton({
  rows = 6,
  isBare = false,
}: {
  readonly rows?: number;
  readonly isBare?: boolean;
}): VNode | null {
  const isLater = useLater(SKELETON_AFTER_MS);
  if (!isLater) return null;
  return (
    <div class={isBare ? 'skeletons' : 'panel skeletons'} aria-busy="true" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} class={`skeleton width-${(index * 2) % 5}`} />
      ))}
    </div>
  );
}

export function ProblemNote({ error, onAgain }: { readonly error: unknown; readonly onAgain?: () => void }): VNode {
  const { title, message, hint, code } = problemFrom(error);
  return (
    <div role="alert">
      <Note
        tone="bad"
        icon="warning"
        {...(onAgain === undefined ? {} : { actions: <Button onClick={onAgain}>Ask again</Button> })}
      >
        <p>
          <b>{title}</b> <Hostile text={message} most={1000} />
        </p>
        <p class="hint">
          {hint} <code>{code}</code>
        </p>
      </Note>
    </div>
  );
}

interface LoadedProps<T> {
  readonly query: UseQueryResult<T>;
  readonly rows?: number;
  /** It stands in a panel already. */
  readonly isBare?: boolean;
  readonly children: (value: T) => ComponentChildren;
}

/** Last known values stay, faded and dated, while nothing new can be had. */
export function Loaded<T>({ query, rows = 6, isBare = false, children }: LoadedProps<T>): VNode {
  const { data, error, dataUpdatedAt, refetch } = query;
  const isStale = error !== null && error !== undefined;
  const again = (): void => void refetch();
  if (data === undefined)
    return isStale ? <ProblemNote error={error} onAgain={again} /> : <Skeleton rows={rows} isBare={isBare} />;
  return (
    <>
      {isStale && (
        <>
          <ProblemNote error={error} onAgain={again} />
          <p class="hint">
            What is below was told <Ago at={new Date(dataUpdatedAt).toISOString()} />.
          </p>
        </>
      )}
      <div class={`stack${isStale ? ' stale' : ''}`}>{children(data)}</div>
    </>
  );
}
