/** What a world can be told. */
import type { Duration } from '../duration.ts';
import type { Logger, Ports } from '../ports.ts';
import type { Invocation } from '../worker/delivery.ts';
import type { Faults } from './faults.ts';

export interface WorldOptions {
  /** Where time starts: Date or milliseconds. Default 2030-01-01T00:00:00Z. */
  readonly start?: Date | number;
  /** Seed of jitter and everything else that is drawn. Default 1. */
  readonly seed?: number;
  /** Length of an invocation, as Lambda's timeout. Default 300 s. */
  readonly invocation?: Duration;
  /** Messages per batch. Default 10. */
  readonly batchSize?: number;
  /** Receives before SQS moves a message to the lost queue. Default 50. */
  readonly maxReceiveCount?: number;
  /** Default: silent. */
  readonly logger?: Logger;
  /** What goes wrong, each with its chance; drawn from `seed`. Default: nothing. */
  readonly faults?: Faults;
  /** Stands between the worker and its ports, per invocation: for faults. */
  readonly wrapPorts?: (ports: Ports, invocation: Invocation) => Ports;
  /**
   * How long, in real time, to wait for tasks that use real timers or I/O before virtual time moves on.
   * Default 20 ms.
   */
  readonly patienceMs?: number;
}
