/** What a worker process is given, and how it says that it stands. Types alone. */
import type { Intake } from '../ports/intake.ts';
import type { Leases } from '../ports/leases.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';

/** What a worker process works with. */
export interface ProcessParts {
  readonly app: App;
  readonly ports: Ports;
  readonly leases: Leases;
  readonly intake: Intake;
}

/** How a worker process works. */
export interface ProcessWorkerOptions {
  /** Names of queues. Absent: every queue whose worker is a process. */
  readonly queues?: readonly string[];
  /** Most tasks at once. */
  readonly concurrency: number;
  /** What it has in hand is another's so long after its last word, seconds. */
  readonly leaseSeconds: number;
  /** Names this process in logs and claims, at most 150 characters. */
  readonly name: string;
}

/** How it stands. */
export interface ProcessHealth {
  /** `failing`: nothing has been received from some queue for a minute, since each request for messages fails. */
  readonly status: 'working' | 'draining' | 'failing';
  /** Tasks in work. */
  readonly running: number;
  /** Messages received and not in work yet. */
  readonly waiting: number;
}
