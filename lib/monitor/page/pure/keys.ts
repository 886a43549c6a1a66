/** What keys do: none while somebody types, none with modifiers. Pure. */

export type KeyAction =
  | { readonly do: 'search' | 'down' | 'up' | 'open' | 'select' | 'retry' | 'hold' | 'help' }
  | { readonly do: 'go'; readonly to: string }
  | { readonly do: 'await' };

export interface KeyPress {
  readonly key: string;
  readonly isModified: boolean;
  readonly isTyping: boolean;
}

const ACTIONS: Readonly<Record<string, KeyAction>> = {
  '/': { do: 'search' },
  j: { do: 'down' },
  k: { do: 'up' },
  Enter: { do: 'open' },
  x: { do: 'select' },
  r: { do: 'retry' },
  '.': { do: 'hold' },
  '?': { do: 'help' },
  g: { do: 'await' },
};

/** After `g`. */
const PLACES: Readonly<Record<string, string>> = {
  o: '/',
  t: '/tasks',
  q: '/queues',
  d: '/dead-letters',
  s: '/schedules',
  l: '/limits',
  c: '/catalogue',
  a: '/audit',
};

/** @param isAwaited `g` came before */
export function keyAction({ key, isModified, isTyping }: KeyPress, isAwaited: boolean): KeyAction | undefined {
  if (isModified || isTyping) return undefined;
  if (isAwaited) {
    const to = Object.hasOwn(PLACES, key) ? PLACES[key] : undefined;
    return to === undefined ? undefined : { do: 'go', to };
  }
  return Object.hasOwn(ACTIONS, key) ? ACTIONS[key] : undefined;
}

/** For the list of keys. */
export const KEY_HELP: readonly { readonly keys: readonly string[]; readonly text: string }[] = [
  { keys: ['/'], text: 'search' },
  { keys: ['j', 'k'], text: 'next and previous row' },
  { keys: ['Enter'], text: 'open the row' },
  { keys: ['x'], text: 'select the row' },
  { keys: ['r'], text: 'retry what is selected, or the task that is shown' },
  { keys: ['.'], text: 'hold everything, let it go on' },
  { keys: ['g', 'o'], text: 'overview' },
  { keys: ['g', 't'], text: 'tasks' },
  { keys: ['g', 'q'], text: 'queues' },
  { keys: ['g', 'd'], text: 'dead letters' },
  { keys: ['g', 's'], text: 'schedules' },
  { keys: ['g', 'l'], text: 'limits and locks' },
  { keys: ['g', 'c'], text: 'task catalogue' },
  { keys: ['g', 'a'], text: 'audit list' },
  { keys: ['?'], text: 'this list' },
  { keys: ['Esc'], text: 'close' },
];
