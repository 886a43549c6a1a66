/** The service that a monitor shows, wherever it runs. */
import type { Celeriac } from '../app/app.ts';
import type { PauseParts } from '../operate/pause.ts';
import type { Environment } from '../options/manifest.ts';
import type { Audit } from '../ports/audit.ts';
import type { Purges } from '../ports/purges.ts';
import type { QueueDepths } from '../ports/queue-depths.ts';

/** What the routes work with: ports, and what the app itself offers. */
export interface MonitoredService {
  /** Connected to the service. */
  readonly app: Celeriac;
  /** The app's own module was loaded: it knows its tasks' options, and not only their names. */
  readonly hasCode: boolean;
  /** Names and URLs of its queues and tables. */
  readonly environment: Environment;
  /** Names of its tasks; undefined where nobody tells. */
  readonly taskNames: readonly string[] | undefined;
  /** How it was found, for people. */
  readonly place: string;
  /** Arguments and results are shown whole; else the beginnings of results, and arguments as their sender had them shown. */
  readonly showValues: boolean;
  /** How much lies in its queues. */
  readonly depths: QueueDepths;
  /** Age of the oldest message of a queue by its URL, some minutes late; absent where nobody is asked. */
  readonly oldestSeconds?: (url: string) => Promise<number | undefined>;
  /** Who empties its queues. */
  readonly purges: Purges;
  /** Who did what. */
  readonly audit: Audit;
  /** What feeds its workers, and what switches it; undefined where they look at the record of pauses themselves. */
  eventSources(): Promise<PauseParts['sources']>;
}
