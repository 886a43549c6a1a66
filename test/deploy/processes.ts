/** Processes that the deploy test starts. Each leads a group of its own, and ends with the test however that ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, type WriteStream } from 'node:fs';

const GRACE_MS = 10_000;
const running = new Set<ChildProcess>();

export interface Background {
  readonly process: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** A server: its output goes to `log`. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv, log: WriteStream): Background {
  const child = started(command, args, env);
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return { process: child, stop: () => stop(child) };
}

/**
 * A command line, as a user types it.
 *
 * @returns its output, both streams.
 * @throws Error with the end of its output, unless it ends with 0.
 */
export function run(line: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = started('bash', ['-c', line], env);
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${line}\nended with ${code ?? signal}:\n${output.slice(-4000)}`));
    });
  });
}

/** Of all that was started and what it started in turn: the members of their groups (Linux). */
export function startedProcesses(): number[] {
  const groups = new Set([...running].map(({ pid }) => pid));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => groups.has(groupOf(pid)))
    .map(Number);
}

function groupOf(pid: string): number | undefined {
  try {
    // The name stands in parentheses and may hold anything; behind it: state, parent, group.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[2]);
  } catch {
    return undefined;
  }
}

function started(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const patience = setTimeout(() => end(child, 'SIGKILL'), GRACE_MS);
    child.kill('SIGTERM');
    await exited;
    clearTimeout(patience);
  }
  // What it started and left behind.
  end(child, 'SIGKILL');
}

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The whole group is gone.
  }
}

process.once('exit', () => {
  for (const child of running) end(child, 'SIGKILL');
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.once(signal, () => process.exit(code));
