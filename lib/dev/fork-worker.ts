/** Starts the process of the workers. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { WorkerProcess } from './supervisor.ts';

export interface Forked {
  /** Where the user's project is: its tsconfig.json counts for tsx. */
  readonly folder: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** A folder for what Node has compiled: the next process of nearly the same code begins in half the time. */
  readonly cache: string;
  /** What the user's code writes, as it comes. */
  readonly written: (text: string) => void;
}

export function forkWorker({ folder, variables, cache, written }: Forked): WorkerProcess {
  // Beside this file, in sources as in what is published.
  const source = fileURLToPath(new URL('worker-process.ts', import.meta.url));
  const entry = existsSync(source) ? source : source.replace(/\.ts$/, '.js');
  const child = fork(entry, [], {
    cwd: folder,
    env: { NODE_COMPILE_CACHE: cache, ...variables },
    execArgv: [...process.execArgv, '--enable-source-maps'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'json',
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => written(text));
  }
  const gone = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  return {
    // One that is gone hears nothing, and `gone` tells.
    send: (message) => void (child.connected && child.send(message, () => {})),
    onMessage: (listener) => void child.on('message', listener),
    gone,
    kill: () => void child.kill('SIGKILL'),
  };
}
