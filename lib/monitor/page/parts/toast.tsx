/** What has just been done, for ten seconds, with a way back where there is one. */
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';

import { after } from '../data/clock.ts';
import { storeOf, useStore } from '../data/store.ts';
import { Button } from './controls.tsx';

interface Told {
  readonly text: string;
  readonly undo?: () => void;
}

const current = storeOf<Told | undefined>(undefined);
const SHOWN_MS = 10_000;

export function tell(text: string, undo?: () => void): void {
  current.set({ text, ...(undo === undefined ? {} : { undo }) });
}

export function Toast(): VNode {
  const told = useStore(current);
  useEffect(() => (told === undefined ? undefined : after(SHOWN_MS, () => current.set(undefined))), [told]);
  return (
    <div role="status" aria-live="polite">
      {told !== undefined && (
        <div class="toast">
          <span>{told.text}</span>
          {told.undo !== undefined && (
            <button
              type="button"
              class="link"
              onClick={() => {
                current.set(undefined);
                told.undo?.();
              }}
            >
              Undo
            </button>
          )}
          <Button icon="close" kind="bare" label="Dismiss" onClick={() => current.set(undefined)} />
        </div>
      )}
    </div>
  );
}
