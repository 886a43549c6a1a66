/** The subcommands, in the order of `celeriac --help`. Adding one: a file in lib/cli/commands, and a line here. */
import type { CommandModule } from './command.ts';

/** A subcommand as the overview shows it. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Its heading in the overview. */
  readonly group: 'Tasks' | 'Queues' | 'Service' | 'Project';
  /** A command's code is loaded when it is called. */
  readonly load: () => Promise<CommandModule>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'call',
    summary: 'sends a task by name',
    group: 'Tasks',
    load: async () => (await import('./commands/call.ts')).call,
  },
  {
    name: 'result',
    summary: 'shows what became of a task',
    group: 'Tasks',
    load: async () => (await import('./commands/result.ts')).result,
  },
  {
    name: 'revoke',
    summary: 'keeps tasks from starting, or ends them',
    group: 'Tasks',
    load: async () => (await import('./commands/revoke.ts')).revoke,
  },
  {
    name: 'explain',
    summary: 'tells why a task waits, where it runs, how it ended',
    group: 'Tasks',
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  {
    name: 'inspect',
    summary: 'shows queues, tasks that wait, and those that run',
    group: 'Queues',
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  {
    name: 'peek',
    summary: 'shows some of the messages of a queue',
    group: 'Queues',
    load: async () => (await import('./commands/peek.ts')).peek,
  },
  {
    name: 'pause',
    summary: 'lets the workers of a queue get nothing',
    group: 'Queues',
    load: async () => (await import('./commands/pause.ts')).pause,
  },
  {
    name: 'resume',
    summary: 'lets the workers of a paused queue go on',
    group: 'Queues',
    load: async () => (await import('./commands/pause.ts')).resume,
  },
  {
    name: 'purge',
    summary: 'deletes all that lies in a queue',
    group: 'Queues',
    load: async () => (await import('./commands/purge.ts')).purge,
  },
  {
    name: 'stats',
    summary: 'counts what ended, and how long it took',
    group: 'Service',
    load: async () => (await import('./commands/stats.ts')).stats,
  },
  {
    name: 'events',
    summary: 'shows what ends, as it ends',
    group: 'Service',
    load: async () => (await import('./commands/events.ts')).events,
  },
  {
    name: 'schedules',
    summary: 'lists and changes what fires tasks',
    group: 'Service',
    load: async () => (await import('./commands/schedules.ts')).schedules,
  },
  {
    name: 'locks',
    summary: 'lists locks, and frees them',
    group: 'Service',
    load: async () => (await import('./commands/locks.ts')).locks,
  },
  {
    name: 'ping',
    summary: 'asks whether the service answers',
    group: 'Service',
    load: async () => (await import('./commands/ping.ts')).ping,
  },
  {
    name: 'dlq',
    summary: 'lists dead letters, has them run once more, deletes them',
    group: 'Queues',
    load: async () => (await import('./commands/dlq.ts')).dlq,
  },
  {
    name: 'monitor',
    summary: 'serves the page of a service on this machine',
    group: 'Service',
    load: async () => (await import('./commands/monitor.ts')).monitor,
  },
  {
    name: 'worker',
    summary: 'runs tasks in this process, for as long as they take',
    group: 'Service',
    load: async () => (await import('./commands/worker.ts')).worker,
  },
  {
    name: 'init',
    summary: 'begins a project, or adds Celeriac to one',
    group: 'Project',
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    name: 'dev',
    summary: 'runs the service on this machine',
    group: 'Project',
    load: async () => (await import('./commands/dev.ts')).dev,
  },
  {
    name: 'synth',
    summary: 'writes a service as a CloudFormation template',
    group: 'Project',
    load: async () => (await import('./commands/synth.ts')).synth,
  },
  {
    name: 'complete',
    summary: 'prints a script for the completion of your shell',
    group: 'Project',
    load: async () => (await import('./commands/complete.ts')).completionOf(COMMANDS),
  },
];
