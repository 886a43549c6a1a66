/** What an app lends to everything that sends, runs and reads. */
import type { Settings } from '../options/settings.ts';
import type { Registry } from '../task/registry.ts';
import type { Clock, Ids, Random } from '../base/time.ts';
import type { Logger } from '../ports/log.ts';
import type { Ports } from '../ports/ports.ts';
import type { SignalHandlers } from '../task/signals.ts';
import type { Eager } from '../results/eager.ts';

/** What everything that sends needs of an app. */
export interface App {
  /** The app's options with every default filled in. */
  readonly settings: Settings;
  /** The declared tasks by name. */
  readonly registry: Registry;
  /** Tells the time, and waits. */
  readonly clock: Clock;
  /** Makes ids of tasks and groups. */
  readonly ids: Ids;
  /** Random numbers for jitter. */
  readonly random: Random;
  /** Where log lines go. */
  readonly logger: Logger;
  /** Names of all tasks that the service's workers run, as far as this process can tell; undefined where it cannot. */
  taskNames(): ReadonlySet<string> | undefined;
  /** Connects on first use. Throws MissingEnvironment where nothing tells of queues and tables. */
  ports(): Promise<Ports>;
  /** Runs what `send` sends in the caller, and all that follows from it. @throws what `send` throws */
  runEager<R>(send: (eager: App) => Promise<R>): Promise<R>;
  /** Handlers of signals; undefined where there are none. */
  readonly signals?: SignalHandlers | undefined;
  /** Of a producer whose messages run in the caller: nothing is delayed, and everything runs here. */
  readonly eager?: Eager;
}
