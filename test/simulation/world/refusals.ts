/** What a service refuses for good of one task, however often it is asked: rights, items and messages that it does not take. */
import type { SendOutcome } from '../../../lib/ports/broker.ts';
import type { CeleryGroups } from '../../../lib/ports/celery-groups.ts';
import type { Ports } from '../../../lib/ports/ports.ts';

/**
 * `claim`: its claims. `outcome`: the write of its success, as too large; its failure is small. `commit`: whatever is
 * written of its outcome by who runs it. `send`: its message. `mark`: that it has ended, in its group.
 */
export type RefusedAt = 'claim' | 'outcome' | 'commit' | 'send' | 'mark';

export interface Refusal {
  readonly at: RefusedAt;
  /** Name of the service's error. */
  readonly error: string;
}

const OF_TABLES = ['ValidationException', 'ItemCollectionSizeLimitExceededException', 'AccessDeniedException'] as const;

/** What a service may say. */
export const REFUSAL_ERRORS: Readonly<Record<RefusedAt, readonly string[]>> = {
  claim: [...OF_TABLES, 'ResourceNotFoundException'],
  outcome: OF_TABLES,
  commit: OF_TABLES,
  send: ['InvalidMessageContents', 'InvalidParameterValue'],
  mark: OF_TABLES,
};

/** Why a task fails whose message is refused. */
export const UNSENT = 'EnqueueFailed';

export function refusalError({ error: name }: Refusal): Error {
  return Object.assign(new Error(`refused: ${name}`), {
    name,
    $fault: 'client',
    $metadata: { httpStatusCode: 400 },
  });
}

/** By task id, and of chords that Celery's groups count by group and place. */
export type Refusals = ReadonlyMap<string, Refusal>;

export const placeOf = (groupId: string, index: number): string => `${groupId}[${index}]`;

/** Ports between a worker and its services. */
export function refusing(refusals: Refusals): (ports: Ports) => Ports {
  const refuse = (ids: readonly (string | undefined)[], ...at: readonly RefusedAt[]): void => {
    for (const id of ids) {
      const refusal = refusals.get(id ?? '');
      if (refusal !== undefined && at.includes(refusal.at)) throw refusalError(refusal);
    }
  };
  const idsOf = (requests: readonly { readonly id: string }[]): string[] => requests.map(({ id }) => id);
  return (ports) => ({
    ...ports,
    backend: over(ports.backend, {
      claim: async (requests) => {
        refuse(idsOf(requests), 'claim');
        return ports.backend.claim(requests);
      },
      commit: async (requests) => {
        refuse(idsOf(requests), 'commit');
        refuse(idsOf(requests.filter(({ status }) => status === 'SUCCESS')), 'outcome');
        return ports.backend.commit(requests);
      },
    }),
    broker: over(ports.broker, {
      send: async (items) => {
        const refused = items.map((item) =>
          item.deadLetter === true ? undefined : refusals.get(messageId(item.body)),
        );
        const answers = await ports.broker.send(items.filter((_, index) => refused[index]?.at !== 'send'));
        const taken = answers.values();
        return refused.map((refusal): SendOutcome => {
          if (refusal?.at !== 'send') return taken.next().value ?? { ok: true, messageId: 'nowhere' };
          return { ok: false, code: refusal.error, message: 'refused', retryable: false };
        });
      },
    }),
    groups: over(ports.groups, {
      mark: async (marks) => {
        refuse(
          marks.map(({ memberId }) => memberId),
          'mark',
        );
        return ports.groups.mark(marks);
      },
    }),
    ...(ports.celeryGroups === undefined ? {} : { celeryGroups: countingRefused(ports.celeryGroups, refuse) }),
  });
}

function countingRefused(port: CeleryGroups, refuse: (ids: readonly string[], at: RefusedAt) => void): CeleryGroups {
  return over(port, {
    count: async (request) => {
      refuse([placeOf(request.groupId, request.index)], 'mark');
      return port.count(request);
    },
  });
}

/** A port with some methods of its own. */
export function over<T extends object>(port: T, methods: Partial<T>): T {
  return new Proxy(port, {
    get: (target, key) => {
      const value: unknown = Reflect.get(key in methods ? methods : target, key);
      return typeof value === 'function' && !(key in methods) ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Of what is no message of a task: empty. */
export function messageId(body: string): string {
  try {
    const outer = JSON.parse(body.startsWith('{') ? body : Buffer.from(body, 'base64').toString()) as {
      readonly headers?: { readonly id?: string };
    };
    return outer.headers?.id ?? '';
  } catch {
    return '';
  }
}
