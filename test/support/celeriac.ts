/** The command `celeriac` in this process, with a terminal that remembers; and as the process that people start. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

import { systemClock } from '../../lib/base/time.ts';
import { run } from '../../lib/cli/run.ts';
import type { Terminal } from '../../lib/cli/terminal.ts';
import { COMPILE_CACHE } from './compile-cache.ts';

export interface Answer {
  readonly code: number;
  readonly printed: string;
  readonly complained: string;
}

/** What a test may set of the terminal. */
export type TerminalParts = Partial<Terminal> & {
  readonly answer?: boolean;
  /** What somebody types who is asked for a line. */
  readonly line?: string;
  readonly input?: string;
};

export async function celeriac(...args: readonly string[]): Promise<Answer> {
  return celeriacAt({}, ...args);
}

/** Nothing of this process's own environment is seen. */
export async function celeriacAt(parts: TerminalParts, ...args: readonly string[]): Promise<Answer> {
  const printed: string[] = [];
  const complained: string[] = [];
  const terminal = terminalWith({
    print: (line) => void printed.push(line),
    complain: (line) => void complained.push(line),
    confirm: async (question) => {
      complained.push(question);
      return parts.answer === true;
    },
    typed: async (question) => {
      complained.push(question);
      return parts.line;
    },
    ...parts,
  });
  const code = await run(args, terminal);
  return { code, printed: printed.join('\n'), complained: complained.join('\n') };
}

/** A terminal that says nothing to anybody, but for what `parts` have. */
export function terminalWith({ answer, line, input = '', ...given }: TerminalParts): Terminal {
  return {
    print: () => {},
    complain: () => {},
    style: (_style, text) => text,
    isInteractive: answer !== undefined || line !== undefined,
    columns: 120,
    confirm: async () => answer === true,
    typed: async () => line,
    read: async () => input,
    variables: {},
    folder: 'nowhere',
    clock: systemClock,
    ending: () => () => {},
    interrupted: () => new AbortController().signal,
    ...given,
  };
}

/** The lines of `--json`, read. */
export function jsonOf({ printed }: Answer): Record<string, unknown>[] {
  return printed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What each process has that begins from these sources, and nothing else of ours. */
export const PROCESS_VARIABLES = { PATH: process.env['PATH'], ...COMPILE_CACHE };

/** As a process, with these variables beside PATH and nothing else of ours. */
export async function celeriacProcess(
  { variables = {}, folder = '.' }: { readonly variables?: Record<string, string>; readonly folder?: string },
  ...args: readonly string[]
): Promise<Answer> {
  const program = [...SOURCE, ...args];
  const options = { cwd: folder, env: { ...PROCESS_VARIABLES, ...variables } };
  const ended = await promisify(execFile)(process.execPath, program, options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as { readonly code: number; readonly stdout: string; readonly stderr: string },
  );
  return { code: ended.code, printed: ended.stdout, complained: ended.stderr };
}

/** What node starts the command from these sources with. */
export const SOURCE: readonly string[] = ['--conditions=@celeriac/source', resolve('lib/cli/main.ts')];
