/** Who changed what. */
import type { VNode } from 'preact';

import type { AuditView as Entry } from '../../answers.ts';
import { useAudit } from '../data/queries.ts';
import { Note } from '../parts/controls.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, Hostile } from '../parts/text.tsx';
import { View } from '../parts/view.tsx';
import { count, listed, shortId } from '../pure/words.ts';

export function AuditListView(): VNode {
  return (
    <View title="Audit list">
      <Loaded query={useAudit()}>
        {({ entries, cursor }) =>
          entries.length === 0 ? (
            <Note icon="audit">Nobody has changed anything from a monitor yet.</Note>
          ) : (
            <section class="panel" aria-label="Audit list">
              <Table label="Audit list" class="cards audit" columns={['When', 'Who', 'What', 'On', 'Outcome']}>
                {entries.map((entry) => (
                  <Row key={entry.id} entry={entry} />
                ))}
              </Table>
              {cursor !== null && <p class="hint table-end">The newest {count(entries.length)} are shown.</p>}
            </section>
          )
        }
      </Loaded>
    </View>
  );
}

const OUTCOMES: Readonly<Record<Entry['outcome'], { readonly text: string; readonly tone: string }>> = {
  begun: { text: 'begun: its end is not known', tone: 'tone-warn' },
  done: { text: 'done', tone: 'dim' },
  failed: { text: 'refused', tone: 'tone-bad' },
};

function Row({ entry }: { readonly entry: Entry }): VNode {
  const { at, by, action, on, note, outcome, error } = entry;
  const { text, tone } = OUTCOMES[outcome];
  return (
    <tr>
      <td class="nowrap">
        <Ago at={at} />
      </td>
      <td>
        <Hostile text={by} most={80} />
      </td>
      <td class="mono">{action}</td>
      <td class="whole">
        <Hostile text={listed(on.map(shortName), 4)} most={300} />
        {note !== null && (
          <span class="second">
            <Hostile text={note} most={300} />
          </span>
        )}
      </td>
      <td class={tone}>
        {text}
        {entry.count !== null && `, ${count(entry.count)}`}
        {error !== null && (
          <span class="second">
            <Hostile text={error} most={300} />
          </span>
        )}
      </td>
    </tr>
  );
}

/** Ids are cut, names are not. */
function shortName(name: string): string {
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(name) ? shortId(name) : name;
}
