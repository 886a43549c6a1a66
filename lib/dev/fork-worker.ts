/** Starts the process of the workers. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type { WorkerProcess } from './supervisor.ts';

export interface Forked {
  /** Where the user's project is: its tsconfig.json counts for tsx. */
  readonly folder: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** What the user's code writes, as it comes. */
  readonly written: (text: string) => void;
}

export function forkWorker({ folder, variables, written }: Forked): WorkerProcess {
  // Beside this file, in sources as in what is published.
  const source = fileURLToPath(new URL('worker-process.ts', import.meta.url));
  const entry = existsSync(source) ? source : source.replace(/\.ts$/, '.js');
  const child = fork(entry, [], {
    cwd: folder,
    env: variables,
    execArgv: [...process.execArgv, ...tsx(folder), '--enable-source-maps'],
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

/** TypeScript as users write it, enums and paths too, where they have tsx; else what Node itself understands. */
function tsx(folder: string): string[] {
  try {
    return ['--import', pathToFileURL(createRequire(join(folder, 'package.json')).resolve('tsx')).href];
  } catch {
    return [];
  }
}
