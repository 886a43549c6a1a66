/** What AWS's clients become: ports. Types alone, apart from what makes them, so that no two files import each other. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Blobs } from '../ports/blobs.ts';
import type { CeleryGroups } from '../ports/celery-groups.ts';
import type { History } from '../ports/history.ts';
import type { DeadLetters } from '../ports/dead-letters.ts';
import type { Marks } from '../ports/marks.ts';
import type { Locks } from '../ports/locks.ts';
import type { Pauses } from '../ports/pauses.ts';
import type { Ports } from '../ports/ports.ts';
import type { Rates } from '../ports/rates.ts';
import type { SlotStore } from '../ports/slots.ts';

export interface Clients {
  readonly sqs: SQSClient;
  readonly dynamodb: DynamoDBClient;
  /** Default: objects of the bucket that the environment names, where its variables say. */
  readonly blobs?: Blobs | undefined;
}

/** The ports that are AWS's; `rules` is absent where no rule fires. */
export type AwsPorts = Pick<Ports, 'broker' | 'backend' | 'timers' | 'schedules' | 'groups' | 'rules' | 'blobs'> & {
  readonly celeryGroups: CeleryGroups;
  readonly marks: Marks;
  readonly rates: Rates;
  readonly slots: SlotStore;
  readonly locks: Locks;
  readonly pauses: Pauses;
  readonly history: History;
  readonly deadLetters: DeadLetters;
};

export interface Connected extends AwsPorts, Pick<Ports, 'notify'> {
  /**
   * Of `ports` those that are these, for one public call: they throw errors of ours (OperationalError), and give up when
   * no request has succeeded for `seconds`; undefined for no such limit. A port that somebody has wrapped stays as it is.
   */
  readonly forCall: (ports: Partial<Ports>, seconds: number | undefined) => Promise<Partial<AwsPorts>>;
}
