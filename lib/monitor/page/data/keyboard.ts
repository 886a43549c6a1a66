/** Keys of the whole page; views add what they do with rows. */
import { useLayoutEffect, useRef } from 'preact/hooks';

import { type KeyAction, keyAction } from '../pure/keys.ts';
import { nowMs } from './clock.ts';

export type RowAction = 'down' | 'up' | 'open' | 'select' | 'retry';

let ofRows: ((action: RowAction) => void) | undefined;

/** Of the view that is shown. Before the browser paints: whoever sees the rows may press a key. */
export function useRowKeys(handle: (action: RowAction) => void): void {
  useLayoutEffect(() => {
    ofRows = handle;
    return () => {
      if (ofRows === handle) ofRows = undefined;
    };
  }, [handle]);
}

const ROW_ACTIONS: readonly string[] = ['down', 'up', 'open', 'select', 'retry'] satisfies RowAction[];

function isOfRows(action: KeyAction['do']): action is RowAction {
  return ROW_ACTIONS.includes(action);
}

const TYPING = 'input:not([type="checkbox"]), textarea, select, [contenteditable]';
// A second key that comes later is a key of its own.
const SECOND_KEY_MS = 1500;

export function useKeyboard(handle: (action: KeyAction) => void): void {
  const awaited = useRef(-Infinity);
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const target = event.target instanceof Element ? event.target : document.body;
      // A dialog has the keys of the browser.
      const isTyping = target.closest(TYPING) !== null || document.querySelector('dialog[open]') !== null;
      // A button or a link does itself what Enter is for.
      if (event.key === 'Enter' && target.closest('a, button, summary, input') !== null) return;
      const isModified = event.ctrlKey || event.metaKey || event.altKey;
      const action = keyAction({ key: event.key, isModified, isTyping }, nowMs() - awaited.current < SECOND_KEY_MS);
      awaited.current = -Infinity;
      if (action === undefined) return;
      event.preventDefault();
      if (action.do === 'await') awaited.current = nowMs();
      else if (action.do === 'search') document.querySelector<HTMLElement>('[data-search]')?.focus();
      else if (isOfRows(action.do)) ofRows?.(action.do);
      else handle(action);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [handle]);
}
