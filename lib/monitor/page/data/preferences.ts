/** What somebody has chosen for this browser. */
import { storeOf } from './store.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'celeriac-theme';

function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === stored) ?? 'system';
  } catch {
    // A browser may refuse to keep anything.
    return 'system';
  }
}

export const theme = storeOf<Theme>(storedTheme());

function show(value: Theme): void {
  if (value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = value;
}

export function chooseTheme(value: Theme): void {
  show(value);
  theme.set(value);
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // It holds until the page is left.
  }
}

show(theme.get());
