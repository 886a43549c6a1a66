/** Port of receiving, for a worker that polls. On AWS Lambda polls for its functions. */
import type { Delivery } from './delivery.ts';

/** How messages are asked for. */
export interface IntakeRequest {
  /** Celery's name of the queue, or of its lane. */
  readonly queue: string;
  /** 1 to 10. */
  readonly max: number;
  /** How long to wait for the first, 0 to 20 seconds. */
  readonly waitSeconds: number;
  /** For how long nobody else gets them. */
  readonly visibilitySeconds: number;
}

/** Where messages come from. */
export interface Intake {
  /** Messages that are visible now, or come within `waitSeconds`; none when `signal` aborts. */
  receive(request: IntakeRequest, signal: AbortSignal): Promise<readonly Delivery[]>;
  /** Takes messages away for good, up to ten of one queue. A receipt that is no longer valid is not an error. */
  delete(queue: string, receipts: readonly string[]): Promise<void>;
}
