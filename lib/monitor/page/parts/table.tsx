/** A table that scrolls within itself where it is too wide: such a region has a name, and can be focused. */
import type { ComponentChildren, VNode } from 'preact';

/** What stands at the head of a column. */
export type Column = string | { readonly text: string; readonly class?: string; readonly isHidden?: boolean };

/** Buttons need no head that is seen, but one that is read. */
export const ACTIONS: Column = { text: 'Actions', isHidden: true };

export function numberColumn(text: string): Column {
  return { text, class: 'number' };
}

interface TableProps {
  readonly label: string;
  readonly columns: readonly Column[];
  /** Of the table. */
  readonly class?: string;
  /** Of the region round it. */
  readonly regionClass?: string;
  /** Rows. */
  readonly children: ComponentChildren;
}

export function Table({ label, columns, class: name, regionClass, children }: TableProps): VNode {
  return (
    <div
      class={`table-wrap${regionClass === undefined ? '' : ` ${regionClass}`}`}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table {...(name === undefined ? {} : { class: name })}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={typeof column === 'string' ? column : column.text} column={column} />
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function Head({ column }: { readonly column: Column }): VNode {
  if (typeof column === 'string') return <th>{column}</th>;
  const { text, class: name, isHidden = false } = column;
  return (
    <th {...(name === undefined ? {} : { class: name })}>
      {isHidden ? <span class="visually-hidden">{text}</span> : text}
    </th>
  );
}
