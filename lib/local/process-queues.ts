/** Queues whose worker is a process, on the embedded cloud: worked on in this process, as `celeriac worker` would. */
import type { Celeriac } from '../app/app.ts';
import type { Clients } from '../aws/connect.ts';
import type { Environment } from '../options/manifest.ts';
import type { Ports } from '../ports/ports.ts';
import { DEFAULT_PROCESS_CONCURRENCY, DEFAULT_PROCESS_LEASE_SECONDS } from '../base/limits.ts';
import { awsProcess } from '../process/aws-process.ts';

interface LocalParts {
  readonly app: Celeriac;
  readonly environment: Environment;
  readonly clients: Clients;
  readonly wrap: ((ports: Ports) => Partial<Ports>) | undefined;
}

/** Whether a function works on it. */
export function hasFunction(queue: string, { queues }: Celeriac['settings']): boolean {
  return queues[queues[queue]?.laneOf ?? queue]?.worker !== 'process';
}

/** Works on a queue until `stop` aborts, and then for so long on what runs. */
export async function workOn(queue: string, parts: LocalParts, stop: AbortSignal, graceSeconds: number): Promise<void> {
  const { app, environment, clients, wrap } = parts;
  const worker = awsProcess(
    app,
    environment,
    clients,
    {
      queues: [queue],
      concurrency: DEFAULT_PROCESS_CONCURRENCY,
      leaseSeconds: DEFAULT_PROCESS_LEASE_SECONDS,
      name: `local.${process.pid}`,
    },
    wrap,
  );
  const drain = (): void => void worker.drain(graceSeconds);
  if (stop.aborted) return;
  stop.addEventListener('abort', drain, { once: true });
  await worker.run();
}
