/** Of a long list the rows that can be seen, and how much room the others take. */
import {
  observeWindowOffset,
  observeWindowRect,
  type VirtualItem,
  Virtualizer,
  windowScroll,
} from '@tanstack/virtual-core';
import { useLayoutEffect, useReducer, useState } from 'preact/hooks';

interface WindowRows {
  readonly items: readonly VirtualItem[];
  /** Pixels. */
  readonly before: number;
  readonly after: number;
  /** To be given each row that is drawn, which has `data-index`. */
  readonly measure: (element: Element | null) => void;
  readonly scrollTo: (index: number) => void;
}

const BEYOND_ROWS = 12;

/** @param top pixels from the page's top to the list's */
export function useWindowRows(count: number, rowPixels: number, top: number): WindowRows {
  const [, again] = useReducer((times: number) => times + 1, 0);
  const options = {
    count,
    estimateSize: () => rowPixels,
    getScrollElement: () => window,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    initialOffset: () => window.scrollY,
    overscan: BEYOND_ROWS,
    scrollMargin: top,
    onChange: () => again(0 as never),
  };
  const [virtualizer] = useState(() => new Virtualizer<Window, Element>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  const items = virtualizer.getVirtualItems();
  const first = items[0];
  const last = items.at(-1);
  return {
    items,
    before: first === undefined ? 0 : first.start - top,
    after: last === undefined ? 0 : virtualizer.getTotalSize() - (last.end - top),
    measure: virtualizer.measureElement,
    scrollTo: (index) => virtualizer.scrollToIndex(index, { align: 'auto' }),
  };
}
