/** The terminal that this process was started from. */
import { stripVTControlCharacters, styleText } from 'node:util';

import { systemClock } from '../base/time.ts';
import { processEnvironment } from '../options/environment.ts';
import type { Terminal } from './terminal.ts';

const COLUMNS = 80;

export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    print: (line) => void stdout.write(`${line}\n`),
    complain: (line) => void stderr.write(`${stderr.isTTY ? line : stripVTControlCharacters(line)}\n`),
    // It asks NO_COLOR, FORCE_COLOR and whether the stream is a terminal.
    style: (style, text) => styleText(style, text, { stream: stdout }),
    isInteractive: stdin.isTTY && stderr.isTTY,
    columns: stdout.isTTY ? stdout.columns : COLUMNS,
    confirm: async (question) => {
      const { confirm } = await import('@clack/prompts');
      return (await confirm({ message: question, initialValue: false, output: stderr })) === true;
    },
    typed: async (question) => {
      const { isCancel, text } = await import('@clack/prompts');
      const answer = await text({ message: question, output: stderr });
      return isCancel(answer) ? undefined : answer;
    },
    read: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin as AsyncIterable<Buffer>) chunks.push(chunk);
      return Buffer.concat(chunks).toString('utf8');
    },
    variables: processEnvironment(),
    folder: process.cwd(),
    clock: systemClock,
    ending: (tell) => {
      const signals = ['SIGTERM', 'SIGINT'] as const;
      for (const signal of signals) process.on(signal, tell);
      return () => {
        for (const signal of signals) process.off(signal, tell);
      };
    },
    interrupted: () => {
      const over = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => over.abort());
      return over.signal;
    },
  };
}
