/** What one worker process works with. */
import type { Clock, ClaimOutcome, ClaimRequest, CommitRequest, Ports } from '../ports.ts';
import type { Producer } from '../producer.ts';
import { DYNAMODB_MAX_BATCH_STATEMENTS } from '../limits.ts';
import { batched } from './batcher.ts';
import type { Invocation } from './delivery.ts';

export interface Worker {
  readonly producer: Producer;
  readonly ports: Ports;
  readonly invocation: Invocation;
  readonly invocationStartMs: number;
  claim(request: ClaimRequest): Promise<ClaimOutcome>;
  commit(request: CommitRequest): Promise<boolean>;
}

/** One per batch: no state outlives an invocation. */
export function createWorker(producer: Producer, ports: Ports, invocation: Invocation): Worker {
  const clock: Clock = ports.clock;
  return {
    producer,
    ports,
    invocation,
    invocationStartMs: clock.nowMs(),
    claim: batched(
      clock,
      DYNAMODB_MAX_BATCH_STATEMENTS,
      (request: ClaimRequest) => request.id,
      (items) => ports.backend.claim(items),
    ),
    commit: batched(
      clock,
      DYNAMODB_MAX_BATCH_STATEMENTS,
      (request: CommitRequest) => request.id,
      (items) => ports.backend.commit(items),
    ),
  };
}
