/** Broken promises of the history. */
import type { History } from '../../../lib/ports/history.ts';
import type { Sabotage } from './sabotage.ts';
import { packHistory } from '../../../lib/wire/history-pack.ts';
import { type HistoryEntry, unpackHistory } from '../../../lib/wire/history-entry.ts';

type Put = Parameters<History['put']>[0];

/** A store that says what it does not do. */
function over(
  change: Partial<Record<keyof History, (real: History, ...args: never[]) => unknown>>,
): Sabotage['options'] {
  return {
    history: true,
    wrapPorts: (ports) => {
      const { history } = ports;
      if (history === undefined) return ports;
      const broken = new Proxy(history, {
        get: (target, name) => {
          const other = change[name as keyof History] as ((real: History, ...args: unknown[]) => unknown) | undefined;
          if (other !== undefined) return (...args: unknown[]) => other(target, ...args);
          return (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target);
        },
      });
      return { ...ports, history: broken };
    },
  };
}

let puts = 0;
const everyTenth = (): boolean => (puts += 1) % 10 === 0;

/** Each end of an item changed. */
function changed(items: Put, change: (entry: HistoryEntry) => HistoryEntry): Put {
  return items.map((item) => ({ ...item, data: packHistory(unpackHistory(item.data).map(change)) }));
}

export const HISTORY_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'every end is in the history',
    what: 'some items are not stored',
    options: over({ put: (real, items: Put) => (everyTenth() ? Promise.resolve() : real.put(items)) }),
  },
  {
    rule: 'one end in the history',
    what: 'who comes again tells another time',
    options: over({
      put: (real, items: Put) =>
        real.put(changed(items, (entry) => (entry.again === true ? { ...entry, endedMs: entry.endedMs + 1 } : entry))),
    }),
  },
  {
    rule: 'each end is counted once',
    what: 'what comes late is not noted',
    options: over({ noteLate: () => Promise.resolve() }),
  },
];
