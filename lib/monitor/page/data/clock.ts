/** The browser's clock and timers: the one place of the page that reads them. */
import { useEffect, useState } from 'preact/hooks';

export function nowMs(): number {
  return Date.now();
}

/** @returns what cancels it */
export function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

const listeners = new Set<(ms: number) => void>();
let stop: (() => void) | undefined;
const TICK_MS = 1000;

function tick(): void {
  const ms = nowMs();
  // One timer for all times of a page, and none that works while nobody looks.
  if (document.visibilityState === 'visible') for (const listener of listeners) listener(ms);
  stop = listeners.size === 0 ? undefined : after(TICK_MS, tick);
}

/** Now, again every second: relative times keep true where they stand. */
export function useNow(): number {
  const [ms, setMs] = useState(nowMs);
  useEffect(() => {
    listeners.add(setMs);
    stop ??= after(TICK_MS, tick);
    return () => void listeners.delete(setMs);
  }, []);
  return ms;
}

/** True once `ms` have gone by: what loads at once shows no skeleton. */
export function useLater(ms: number): boolean {
  const [isLater, setLater] = useState(false);
  useEffect(() => after(ms, () => setLater(true)), [ms]);
  return isLater;
}
