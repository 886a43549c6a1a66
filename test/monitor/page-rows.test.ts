/** The row that keys are at. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type ChosenRows, moved, NOTHING_CHOSEN, toggled } from '../../lib/monitor/page/pure/chosen-rows.ts';

describe('rows that keys have chosen', () => {
  it('the first step is the first row, and the list has two ends', () => {
    const keys = ['a', 'b', 'c'];
    const first = moved(NOTHING_CHOSEN, keys, -1);
    expect(first.at).toBe('a');
    expect(moved(first, keys, -1).at).toBe('a');
    expect(moved({ ...first, at: 'c' }, keys, 1).at).toBe('c');
    expect(moved({ ...first, at: 'gone' }, keys, 1).at).toBe('a');
    expect(moved(NOTHING_CHOSEN, [], 1).at).toBeUndefined();
  });

  it('rows that come in above move neither the cursor nor what is selected', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string(), { minLength: 1 }),
        fc.uniqueArray(fc.string()),
        fc.array(fc.constantFrom('down', 'up', 'select')),
        (keys, more, actions) => {
          const newer = more.filter((key) => !keys.includes(key));
          let chosen: ChosenRows = NOTHING_CHOSEN;
          let index = -1;
          const marked = new Set<number>();
          for (const action of actions) {
            if (action === 'select') {
              if (chosen.at === undefined) continue;
              chosen = toggled(chosen, chosen.at);
              if (!marked.delete(index)) marked.add(index);
            } else {
              chosen = moved(chosen, keys, action === 'down' ? 1 : -1);
              index = index === -1 ? 0 : Math.min(Math.max(index + (action === 'down' ? 1 : -1), 0), keys.length - 1);
            }
          }
          expect(chosen.at).toBe(keys[index]);
          expect(chosen.selected).toEqual(new Set([...marked].map((at) => keys[at])));
          const below = [...newer, ...keys];
          if (index >= 0 && index < keys.length - 1) expect(moved(chosen, below, 1).at).toBe(keys[index + 1]);
        },
      ),
    );
  });
});
