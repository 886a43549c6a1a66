/** Runs of an entry: those that have not ended, and the others, the newest first. */
import type { VNode } from 'preact';
import { Link } from 'wouter-preact';

import { useRuns } from '../../data/queries.ts';
import { Badge } from '../../parts/badge.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { numberColumn, Table } from '../../parts/table.tsx';
import { Ago, At, Hostile } from '../../parts/text.tsx';
import { plainText } from '../../pure/hostile-text.ts';
import { shownState } from '../../pure/states.ts';
import { duration, shortId, UNKNOWN } from '../../pure/words.ts';

export function RunsDialog({ name, onClose }: { readonly name: string; readonly onClose: () => void }): VNode {
  return (
    <Dialog title={`Runs of ${plainText(name, 80)}`} wide onClose={onClose}>
      <Loaded query={useRuns(name)} rows={4} isBare>
        {({ entries, begun, readBackTo }) =>
          entries.length + begun.length === 0 ? (
            <p>No run has ended since {readBackTo.slice(0, 16).replace('T', ' ')} UTC.</p>
          ) : (
            <Table
              label="Runs"
              class="cards"
              columns={['State', 'Task', 'Error, or who sent it', numberColumn('Ran'), numberColumn('Ended')]}
            >
              {begun.map(({ id, state, sentAt, by }) => (
                <tr key={id}>
                  <td>
                    <Badge state={state} />
                  </td>
                  <td>
                    <Link class="mono" href={`/tasks/${encodeURIComponent(id)}`}>
                      {shortId(id)}
                    </Link>
                  </td>
                  <td class="whole">
                    {by !== null && (
                      <>
                        by hand, <Hostile text={by} most={100} />,{' '}
                      </>
                    )}
                    sent <Ago at={sentAt} />
                  </td>
                  <td class="number">{UNKNOWN}</td>
                  <td class="number">not yet</td>
                </tr>
              ))}
              {entries.map(({ id, attempt, state, deadLetter, error, runSeconds, endedAt }) => (
                <tr key={`${id} ${attempt}`}>
                  <td>
                    <Badge state={shownState(state, deadLetter)} />
                  </td>
                  <td>
                    <Link class="mono" href={`/tasks/${encodeURIComponent(id)}`}>
                      {shortId(id)}
                    </Link>
                  </td>
                  <td class="whole">{error !== null && <Hostile class="error-text" text={error} title />}</td>
                  <td class="number">{duration(runSeconds)}</td>
                  <td class="number">
                    <At at={endedAt} />
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loaded>
    </Dialog>
  );
}
