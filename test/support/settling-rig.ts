/** One settling under way, by hand: what is concluded and followed, and stores that know nothing. */
import type { Celeriac } from 'celeriac';
import { ManualClock } from 'celeriac/testing';

import type { ConcludeRequest } from '../../lib/ports/backend.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { Message } from '../../lib/wire/message.ts';
import { concludeSteps } from '../../lib/worker/failed-steps.ts';
import type { Follower } from '../../lib/worker/followers.ts';
import { Pending, type Settling } from '../../lib/worker/settling.ts';
import { Outbox, Progress } from '../../lib/worker/windows.ts';
import { checkedLines } from './log-lines.ts';
import { NOW } from './slot-rig.ts';

export interface SettlingRig {
  readonly settling: Settling;
  readonly asked: ConcludeRequest[][];
  readonly followed: Follower[];
  readonly fields: unknown[];
}

/** @param more ports that differ */
export function settlingRig(app: Celeriac, more: object = {}): SettlingRig {
  const asked: ConcludeRequest[][] = [];
  const followed: Follower[] = [];
  const fields: unknown[] = [];
  const clock = new ManualClock(NOW);
  const ports = {
    clock,
    logger: checkedLines({ log: (_level, _text, given) => void fields.push(given) }),
    backend: {
      conclude: (requests: readonly ConcludeRequest[]) => {
        asked.push([...requests]);
        return Promise.resolve(requests.map(() => ({ kind: 'concluded' })));
      },
    },
    groups: {
      definition: () => Promise.resolve(undefined),
      define: () => Promise.resolve(),
      forget: () => Promise.resolve(),
    },
    ...more,
  } as unknown as Ports;
  const settling: Settling = {
    parent: { id: 'parent' } as Message,
    app: app as never,
    ports,
    committed: { status: 'SUCCESS', meta: undefined, settlement: {} },
    deadlineMs: NOW + 60_000,
    again: false,
    lastTry: false,
    followedUp: new Set(),
    storeConcluded: () => Promise.resolve(),
    outbox: new Outbox(),
    progress: new Progress(() => 'p', ports, { startMs: NOW, deadlineMs: NOW + 60_000 }),
    pending: new Pending(),
    follow: (followers) => Promise.resolve(void followed.push(...followers)),
    drain: () => concludeSteps(settling),
    finish: () => Promise.resolve(),
  };
  return { settling, asked, followed, fields };
}
