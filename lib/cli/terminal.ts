/** Where a command speaks to whoever called it, and what it knows of that place. */
import type { Clock } from '../base/time.ts';

/** Looks of a text, in words of `util.styleText`. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** The process's, or a test's. */
export interface Terminal {
  /** A line of what was asked for: standard output. */
  print(line: string): void;
  /** A line beside it, what went wrong say: standard error. */
  complain(line: string): void;
  /** The text with this look; as it is where nobody would see it, in a pipe say. */
  style(style: Style, text: string): string;
  /** Somebody sees what is printed as it comes, and can be asked. */
  readonly isInteractive: boolean;
  /** Characters in a line. */
  readonly columns: number;
  /** Asks somebody; false also where the question is left with Ctrl+C. Only where `isInteractive`. */
  confirm(question: string): Promise<boolean>;
  /** Has somebody type a line; undefined where the question is left with Ctrl+C. Only where `isInteractive`. */
  typed(question: string): Promise<string | undefined>;
  /** All of standard input. */
  read(): Promise<string>;
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The working folder. */
  readonly folder: string;
  /** What time it is; it waits, too. */
  readonly clock: Clock;
  /** Calls `tell` each time that somebody asks the process to end, SIGTERM and Ctrl+C; the process goes on. @returns what ends it */
  ending(tell: () => void): () => void;
  /** Aborts at Ctrl+C where a command asks for it: one that watches ends well then. */
  interrupted(): AbortSignal;
}
