/** What the tests of a broker need of it. */
import type { Broker } from '../../ports/broker.ts';

/** A broker, and the other end of its queues. */
export interface BrokerUnderTest {
  /** The one to be tested. */
  readonly broker: Broker;
  /** Names of a standard and a FIFO queue; both start empty. */
  readonly standard: string;
  /** Name of a FIFO queue; it starts empty. */
  readonly fifo: string;
  /** Takes up to ten messages, or dead letters; they stay invisible. */
  receive(queue: string): Promise<{ readonly body: string; readonly receipt: string; readonly groupId?: string }[]>;
  /** What lies in a queue's dead-letter queue. */
  deadLetters(
    queue: string,
  ): Promise<{ readonly body: string; readonly attributes: Readonly<Record<string, string>> }[]>;
  /** Deletes a received message. */
  acknowledge(queue: string, receipt: string): Promise<void>;
}
