/** Answers for people, and as JSON for programs: one object a line. */
import Table from 'cli-table3';

import type { Style, Terminal } from './terminal.ts';

/** One object of an answer; its field names are held by the command's schema. */
export type Row = Readonly<Record<string, unknown>>;

/** A column of a table. */
export interface Column<R> {
  readonly head: string;
  readonly of: (row: R) => string | number;
  /** Numbers stand right. */
  readonly right?: boolean;
  /** How it looks, where it is not plain. */
  readonly style?: (row: R) => Style | undefined;
}

export class Output {
  readonly #terminal: Terminal;
  /** Whether programs read it. */
  readonly json: boolean;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.json = json;
  }

  /** One answer. `text` makes it of it for people. */
  show(row: Row, text: () => string): void {
    this.#terminal.print(this.json ? JSON.stringify(row) : text());
  }

  /** Many answers. @param empty what people read where there is none */
  list<R extends Row>(rows: readonly R[], columns: readonly Column<R>[], empty: string): void {
    if (this.json) for (const row of rows) this.#terminal.print(JSON.stringify(row));
    else if (rows.length === 0) this.say(empty);
    else for (const line of tableOf(rows, columns, this.#terminal)) this.#terminal.print(line);
  }

  /** For people alone, beside the answer: what to do next, how to get more. */
  say(line: string): void {
    if (!this.json) this.#terminal.complain(line);
  }
}

const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

function tableOf<R extends Row>(rows: readonly R[], columns: readonly Column<R>[], terminal: Terminal): string[] {
  const table = new Table({
    head: columns.map(({ head }) => terminal.style('bold', head)),
    colAligns: columns.map(({ right }) => (right === true ? 'right' : 'left')),
    chars: BARE,
    // Its own head is red, also where nobody sees colours.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(
    ...rows.map((row) =>
      columns.map(({ of, style }) => {
        const text = printable(String(of(row)));
        const look = style?.(row);
        return look === undefined ? text : terminal.style(look, text);
      }),
    ),
  );
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

/** Names and texts come from messages: what would move the cursor or colour the screen is shown as what it is. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

// Also what turns the direction of writing, by which a text looks like another one.
const CONTROL = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;
