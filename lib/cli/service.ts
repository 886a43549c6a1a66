/** A service that a command works with, wherever it runs. */
import type { Celeriac } from '../app/app.ts';
import type { Clients } from '../aws/connected.ts';
import type { ToolRequests } from '../aws/tool-requests.ts';
import type { DeployedService } from '../options/deployed-service.ts';
import type { Environment } from '../options/manifest.ts';
import type { QueueDepths } from '../ports/queue-depths.ts';

export interface Service {
  /** Connected to the service. */
  readonly app: Celeriac;
  /** `--app` gave the module: the app knows its tasks' options, and not only their names. */
  readonly hasCode: boolean;
  /** Names and URLs of its queues and tables. */
  readonly environment: Environment;
  /** Names of its tasks; undefined where nobody tells. */
  readonly taskNames: readonly string[] | undefined;
  /** How it was found, for people. */
  readonly place: string;
  readonly clients: Clients;
  /** How much lies in its queues. */
  readonly depths: QueueDepths;
  /** Requests to the services that the library itself has no client of. */
  readonly requests: ToolRequests;
  /** The embedded cloud: nothing of it is a stack's. */
  readonly isLocal: boolean;
  /** It was found by what its stack has published. */
  readonly isDeployed: boolean;
  /** What its stack has published. @throws NotReachable where nothing has been, on the embedded cloud say */
  deployed(): Promise<DeployedService>;
  close(): void;
}
