/** Broken promises of `app.locks`, and of limits that are changed. */
import type { World } from 'celeriac/testing';

import type { Locks } from '../../../lib/ports/locks.ts';
import { over } from './refusals.ts';
import type { Sabotage } from './sabotage.ts';

const FOR_EVER_MS = 30 * 86_400_000;

/** Changes the true store of locks. */
function locks(change: (acquire: Locks['acquire']) => Partial<Locks>): (world: World) => void {
  return ({ ports }) => {
    if (ports.locks !== undefined) Object.assign(ports.locks, change(ports.locks.acquire.bind(ports.locks)));
  };
}

const longer = (acquire: Locks['acquire']): Partial<Locks> => ({
  acquire: (request) => acquire({ ...request, untilMs: request.untilMs + FOR_EVER_MS }),
  release: () => Promise.resolve(true),
});

export const LOCK_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'one holds a lock at a time',
    what: 'renewals are told of, and not written',
    options: { flow: true, sabotage: locks(() => ({ renew: () => Promise.resolve(true) })) },
  },
  {
    rule: 'tokens rise',
    what: 'everybody has the same token',
    options: {
      flow: true,
      sabotage: locks((acquire) => ({
        acquire: async (request) => {
          const holding = await acquire(request);
          return holding && { ...holding, token: 7 };
        },
      })),
    },
  },
  {
    rule: 'tokens tell holders apart',
    what: 'everybody has every lock',
    options: {
      flow: true,
      sabotage: locks(() => ({
        acquire: ({ key, owner, untilMs }) => Promise.resolve({ key, owner, untilMs, token: 7 }),
        renew: () => Promise.resolve(true),
        release: () => Promise.resolve(true),
      })),
    },
  },
  {
    rule: 'a lock that is renewed stays',
    what: 'some renewals find that it is lost',
    options: {
      flow: true,
      faults: {},
      sabotage: ({ ports: { locks: store } }) => {
        if (store === undefined) return;
        const renew = store.renew.bind(store);
        let left = 5;
        store.renew = (renewal) => ((left -= 1) >= 0 ? Promise.resolve(false) : renew(renewal));
      },
    },
  },
  {
    rule: 'no lock is held for ever',
    what: 'locks are taken for a month, and given back by nobody',
    options: { flow: true, sabotage: locks(longer) },
  },
];

export const CHANGE_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'a changed limit holds',
    what: 'workers are told of no change',
    options: {
      flow: true,
      wrapPorts: ({ rates, ...ports }) => ({
        ...ports,
        ...(rates && { rates: over(rates, { limits: () => Promise.resolve(new Map<string, string>()) }) }),
      }),
    },
  },
  {
    rule: 'a changed limit holds',
    what: 'lines keep the pace that they had',
    options: {
      flow: true,
      wrapPorts: ({ rates, ...ports }) => ({
        ...ports,
        ...(rates && {
          rates: over(rates, {
            reserve: (request) =>
              rates.reserve(request.key.startsWith('changed#') ? { ...request, paceMicros: 1_000_000 } : request),
          }),
        }),
      }),
    },
  },
];
