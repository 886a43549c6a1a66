/** The row that keys are at, and those that are selected. Both by key, not by place: newer rows come in above. Pure. */

export interface ChosenRows {
  readonly at: string | undefined;
  readonly selected: ReadonlySet<string>;
}

export const NOTHING_CHOSEN: ChosenRows = { at: undefined, selected: new Set() };

/** @returns the row `steps` further, held within the list; the first one where none was chosen, or it is gone */
export function moved(chosen: ChosenRows, keys: readonly string[], steps: 1 | -1): ChosenRows {
  const from = chosen.at === undefined ? -1 : keys.indexOf(chosen.at);
  const next = from === -1 ? 0 : Math.min(Math.max(from + steps, 0), keys.length - 1);
  return { ...chosen, at: keys[next] };
}

export function toggled(chosen: ChosenRows, key: string): ChosenRows {
  const selected = new Set(chosen.selected);
  if (!selected.delete(key)) selected.add(key);
  return { ...chosen, selected };
}
